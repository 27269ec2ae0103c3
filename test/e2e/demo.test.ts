import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, startService } from './service.ts';

const run = promisify(execFile);
const program = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

let folder: string;
let service: Service;
let story: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixpax demo '));
  service = await startService(folder);
  await service.ready;
  const env = { ...process.env, PUBLIC_URL: service.url, DATA_DIR: folder };
  story = (await run(process.execPath, [program('scripts/demo/run.ts')], { env })).stdout;
}, 120_000);
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

const ledger = async (...args: string[]) => {
  const { stdout } = await run(process.execPath, [program('projector/main.ts'), ...args, '--json'], {
    cwd: folder,
    env: { ...process.env, DATA_DIR: folder },
  });
  return JSON.parse(stdout) as Record<string, unknown>;
};

describe('npm run demo on a fresh npm start', () => {
  it('tells of both families’ packs, the swap and the end', () => {
    expect(story).toContain('Ada opened 3 packs');
    expect(story).toContain('Ben opened 3 packs');
    expect(story).toContain('the trade is settled');
    expect(story).toContain('each copy is in exactly one book');
    expect(story.match(/: 3 packs, \d+ of 50 cards/g)).toHaveLength(2);
  });

  it.each([
    ['a minted card', /\(rule 3\) → 403 forbidden/],
    ['a made-up copy', /\(rule 4\) → 409 card-not-held/],
    ['a second pack of the drop', /\(rule 5\) → 409 pack-issued/],
    ['a claimed code', /claimed → 409 code-claimed/],
    ['somebody else’s copy', /\(rule 8\) → 409 card-not-held/],
    ['a copy offered twice', /second time → 409 card-in-escrow/],
    ['a change of mind after the acceptance', /mind → 409 trade-accepted/],
  ])('tells of %s that was refused', (_what, line) => {
    expect(story).toMatch(line);
  });

  it('leaves a ledger that verifies, every draw of the closed drop included', async () => {
    const { fingerprint } = (await service.api.get('/.well-known/pixpax-ledger.json')).body;
    const report = await ledger('verify', join(folder, 'receipts'), '--trust', String(fingerprint));
    expect(report).toMatchObject({ verdict: 'valid' });
  });

  it('leaves a projection that a rebuild makes again, table by table', async () => {
    const report = await ledger('rebuild');
    expect(report).toMatchObject({ live: 'whole', drifted: false });
    const digests = report.digests as { table: string; rows: number; equal: boolean }[];
    expect(digests.filter(({ equal }) => !equal)).toEqual([]);
    for (const filled of ['card_instances', 'codes', 'drops', 'packs', 'trades', 'trade_reservations'])
      expect(digests.find(({ table }) => table === filled)?.rows).toBeGreaterThan(0);
  });

  it('keeps a certificate of the trade that verifies with nothing but the fingerprint, and no more when a byte is changed', async () => {
    const { fingerprint } = (await service.api.get('/.well-known/pixpax-ledger.json')).body;
    const file = join(folder, 'demo-trade-certificate.json');
    expect(await ledger('verify', file, '--trust', String(fingerprint))).toMatchObject({ verdict: 'valid' });
    const text = await readFile(file, 'utf8');
    const changed = join(folder, 'changed.json');
    await writeFile(
      changed,
      text.replace(/crab|urchin|manta|[a-z]+-fish/, 'kraken').replace('CARD_TRADE_ACCEPTED', 'CARD_TRADE_DECLINED'),
    );
    await expect(ledger('verify', changed, '--trust', String(fingerprint))).rejects.toMatchObject({ code: 1 });
  });

  it('says nothing of the certificate to a stranger', async () => {
    const path = /\/v1\/trades\/trd_\w+/.exec(story)?.[0] ?? '';
    expect((await service.api.get(`${path}/certificate`)).status).toBe(401);
  });
});
