import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { HttpResult } from './http.ts';
import type { Measured } from './latency.ts';

// Each part runs in a process of its own, so that none is measured with another's heap, and one after the other.

type AppendResult = { streams: number; append: Measured; create: Measured; commit: Measured; sign: Measured };
type VerifyResult = {
  receiptsPerSecond: number;
  rawVerifyPerSecond: number;
  ratio: number;
  peakRssBytes: number;
  receipts: number;
};
type Timed = { count: number; perSecond: number };
type DomainResult = {
  append: Measured;
  packs: Timed;
  created: Timed;
  claims: Timed;
  long: { receipts: number; newBookMs: number; longBookMs: number };
};
type RebuildResult = { receipts: number; perSecond: number; peakRssBytes: number };

const part = async <T>(file: string, ...args: string[]): Promise<T> => {
  process.stderr.write(`measuring ${file} …\n`);
  const path = fileURLToPath(new URL(`./${file}.ts`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path, ...args], { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout.slice(stdout.search(/[{[]/))) as T;
};

const rate = (value: number): string => Math.round(value).toLocaleString('en');
const latency = ({ p50Ms, p95Ms, p99Ms }: Measured): string => [p50Ms, p95Ms, p99Ms].map((ms) => ms.toFixed(1)).join(' / ');
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

const append = await part<AppendResult[]>('append');
const http = await part<HttpResult[]>('http');
const domain = await part<DomainResult>('domain');
const verify = await part<VerifyResult>('verify', '--receipts', '40000');
const small = await part<RebuildResult>('rebuild', '10000');
const large = await part<RebuildResult>('rebuild', '40000');

const lines = [
  `${cpus().length} × ${cpus()[0]?.model ?? 'cpu'}, Node ${process.version}; embedded parts, fsync on`,
  '',
  '| what | per second | p50 / p95 / p99 ms | beside |',
  '|---|---|---|---|',
];
for (const { streams, append: saves, create, commit, sign } of append) {
  const ceiling = Math.min(create.perSecond, commit.perSecond, sign.perSecond);
  // An append does all four on the same cores and disk; what each could do alone adds up to this.
  const together = 1 / (1 / create.perSecond + 1 / commit.perSecond + 1 / sign.perSecond + 1 / verify.rawVerifyPerSecond);
  const name = streams === 1 ? '1 stream' : `${streams} streams`;
  const beside = `${percent(saves.perSecond / ceiling)} of the lowest ceiling, ${percent(saves.perSecond / together)} of all four together`;
  lines.push(`| append, in process, ${name} | ${rate(saves.perSecond)} | ${latency(saves)} | ${beside} |`);
  lines.push(`| – raw conditional create | ${rate(create.perSecond)} | ${latency(create)} | |`);
  lines.push(`| – raw commit of the same rows | ${rate(commit.perSecond)} | ${latency(commit)} | |`);
  lines.push(`| – sign alone | ${rate(sign.perSecond)} | ${latency(sign)} | |`);
  const overHttp = http.find((each) => each.streams === streams);
  if (overHttp === undefined) continue;
  const { save, health, authenticated } = overHttp;
  lines.push(
    `| append, through HTTP, ${name} | ${rate(save.perSecond)} | ${latency(save)} | ${percent(save.perSecond / saves.perSecond)} of in-process |`,
  );
  lines.push(
    `| – the same without authentication | ${rate(authenticated.without)} | | with it ${percent(authenticated.ratio)} of that (aim 85 %) |`,
  );
  lines.push(`| – GET /health, same client | ${rate(health.perSecond)} | ${latency(health)} | |`);
}
const { append: plain, packs, created, claims, long } = domain;
lines.push(
  `| packs issued, a batch of ${rate(packs.count)} | ${rate(packs.perSecond)} | | ${percent(packs.perSecond / plain.perSecond)} of plain appends in as many lanes (${rate(plain.perSecond)}) |`,
  `| codes created, a batch of ${rate(created.count)} | ${rate(created.perSecond)} | | ${percent(created.perSecond / plain.perSecond)} of the same |`,
  `| codes claimed, two receipts each | ${rate(claims.perSecond)} | | ${percent((2 * claims.perSecond) / plain.perSecond)} of the same, by receipts |`,
  `| save in a book of ${rate(long.receipts)} receipts | | ${long.longBookMs.toFixed(1)} p50 | ${(long.longBookMs / long.newBookMs).toFixed(2)} × a new book’s (${long.newBookMs.toFixed(1)}) |`,
);
lines.push(
  `| verify, ${rate(verify.receipts)} receipts | ${rate(verify.receiptsPerSecond)} | ${megabytes(verify.peakRssBytes)} peak | ${percent(verify.ratio)} of raw node:crypto verify (${rate(verify.rawVerifyPerSecond)}) |`,
);
for (const { receipts, perSecond, peakRssBytes } of [small, large])
  lines.push(
    `| rebuild, ${rate(receipts)} receipts | ${rate(perSecond)} | ${megabytes(peakRssBytes)} peak | ${percent(perSecond / verify.rawVerifyPerSecond)} of raw verify |`,
  );

process.stdout.write(`${lines.join('\n')}\n\n${JSON.stringify({ append, http, domain, verify, rebuild: [small, large] })}\n`);
