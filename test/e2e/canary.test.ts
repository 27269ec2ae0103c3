import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../free-port.ts';
import { type TestDatabase, freshDatabase } from '../postgres.ts';
import { type VaultStandIn, startVaultStandIn } from '../vault-stand-in.ts';

/**
 * The service as it is run, telling all it can (`LOG_LEVEL=trace`), with a canary in every place that holds a secret. It is used, misused, and loses
 * its store, its Vault and its Postgres. Then no canary is where anybody might read it.
 */

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const canary = (name: string): string => `canary-${name}-${randomBytes(16).toString('hex')}`;

const AUTH_SECRET = canary('auth');
const CODE_SECRET = canary('code');
const METRICS_TOKEN = canary('metrics');
const PASSWORD = canary('password');
const WRONG_PASSWORD = canary('wrong-password');
const WRONG_TOKEN = canary('wrong-token');
const WRONG_COOKIE = canary('wrong-cookie');
/** The name of a member that is not known: whoever sent it is told which it was, and nobody else. */
const NAME = canary('name');
const BODY = canary('body');
const QUERY = canary('query');
const HEADER = canary('header');
const TYPED_CODE = canary('typed-code');

/** By name, each a text that nobody may find. Those that are made on the way are added. */
const secrets = new Map<string, string>(
  Object.entries({ AUTH_SECRET, CODE_SECRET, METRICS_TOKEN, PASSWORD, WRONG_PASSWORD, WRONG_TOKEN, WRONG_COOKIE }),
);
for (const [name, value] of Object.entries({ NAME, BODY, QUERY, HEADER, TYPED_CODE })) secrets.set(name, value);

let folder: string;
let database: TestDatabase;
let vault: VaultStandIn;
let child: ChildProcess;
let url: string;
let printed = '';

/** Every answer there was: what one was meant to show once is taken out before it is kept. */
const answers: string[] = [];

const keep = (answer: Response, body: string, once: readonly string[]): void => {
  const fields = [...answer.headers].filter(([name]) => name !== 'set-cookie' && name !== 'set-auth-token');
  const shown = once.reduce((text, secret) => text.replaceAll(secret, ''), body);
  answers.push(`${answer.status} ${JSON.stringify(fields)} ${shown}`);
};

type Said = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown>; readonly text: string };

type Ask = {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Members of the answer that are shown this once: they become secrets. */
  readonly once?: readonly string[];
};

const ask = async (method: string, path: string, { token, headers = {}, body, once = [] }: Ask = {}): Promise<Said> => {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(method === 'POST' ? { 'Idempotency-Key': randomUUID() } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = (answer.headers.get('content-type') ?? '').includes('json');
  const parsed = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
  const told = once.map((name) => String(parsed[name]));
  for (const [i, name] of once.entries()) secrets.set(`${path} ${name}`, told[i] ?? '');
  keep(answer, text, told);
  return { status: answer.status, headers: answer.headers, body: parsed, text };
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixpax-canary-'));
  database = await freshDatabase({ empty: true });
  vault = await startVaultStandIn();
  const { roleId, secretId } = vault.addAppRole('pixpax');
  secrets.set('VAULT_SECRET_ID', secretId);
  const { password } = new URL(database.url);
  if (password.length > 8) secrets.set('the password in DATABASE_URL', decodeURIComponent(password));
  await writeFile(join(folder, 'code-secret'), `${CODE_SECRET}\n`);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  child = spawn(process.execPath, [main], {
    env: {
      ...{ PATH: process.env.PATH ?? '', HOST: '127.0.0.1', PORT: String(port), PUBLIC_URL: url, DEMO: 'off' },
      ...{ LOG_LEVEL: 'trace', DATA_DIR: join(folder, 'data'), DATABASE_URL: database.url, RATE_LIMITS: 'off' },
      ...{ RECEIPT_STORE: `fs:${join(folder, 'receipts')}`, AUTH_SECRET, METRICS_TOKEN, TRUSTED_PROXIES: '1' },
      ...{ CODE_SECRET_FILE: join(folder, 'code-secret'), SIGNER: 'vault', VAULT_ADDR: vault.address },
      ...{ VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: secretId },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const deadlineMs = performance.now() + 45_000;
  while (
    !(await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`the service ended: ${printed}`);
    if (performance.now() > deadlineMs) throw new Error(`the service does not become ready: ${printed.slice(-4_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
afterAll(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await vault.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

let addresses = 0;
const fromElsewhere = () => ({ 'X-Forwarded-For': `203.0.113.${++addresses}`, Origin: url });

/** Signs up and in: everything one gets on the way is a secret. */
const signIn = async (email: string): Promise<{ token: string; userId: string }> => {
  const account = { email, password: PASSWORD, name: 'A collector' };
  await ask('POST', '/v1/auth/sign-up/email', { body: account, headers: fromElsewhere() });
  const signedIn = await ask('POST', '/v1/auth/sign-in/email', { body: account, headers: fromElsewhere(), once: ['token'] });
  const cookie = signedIn.headers.getSetCookie().find((each) => each.includes('session_token'));
  secrets.set(`cookie of ${email}`, decodeURIComponent(cookie?.split(';')[0]?.split('=').slice(1).join('=') ?? ''));
  return { token: String(signedIn.body.token), userId: (signedIn.body.user as { id: string }).id };
};

const expectNowhere = (text: string, but: readonly string[] = []): void => {
  const found = [...secrets].filter(
    ([name, secret]) =>
      !but.includes(name) && (text.includes(secret) || text.includes(encodeURIComponent(secret)) || text.includes(btoa(secret))),
  );
  expect(found.map(([name]) => name)).toEqual([]);
};

/** Every row of these schemas: the projection, jobs, the audit trail. */
const everythingIn = async (databaseUrl: string, schemas: readonly string[]): Promise<string> => {
  const owner = new pg.Client(databaseUrl);
  await owner.connect();
  try {
    const { rows } = await owner.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = any ($1)`,
      [schemas],
    );
    expect(rows.length).toBeGreaterThan(10);
    const said: string[] = [];
    for (const { name } of rows)
      said.push(...(await owner.query<{ row: string }>(`select t::text as row from ${name} t`)).rows.map(({ row }) => row));
    return said.join('\n');
  } finally {
    await owner.end();
  }
};

describe('a canary in every secret', () => {
  let ada: { token: string; userId: string };
  let book: string;
  let base: string;
  let apiKey: string;

  it('is used: signing in, keys, invitations, commands', async () => {
    ada = await signIn(`ada-${randomUUID()}@pixpax.example`);
    const eve = await signIn(`eve-${randomUUID()}@pixpax.example`);
    const { token } = ada;
    const made = await ask('POST', '/v1/api-keys', {
      ...{ token, body: { name: 'A scanner', scopes: ['accounts:read', 'accounts:write', 'pixbooks:write'] }, once: ['key'] },
    });
    apiKey = String(made.body.key);
    const account = String((await ask('POST', '/v1/accounts', { token: apiKey })).body.accountId);
    base = `/v1/accounts/${account}`;
    const invitation = await ask('POST', `${base}/invitations`, { token, body: { role: 'viewer' }, once: ['secret'] });
    expect(invitation.status).toBe(201);
    const accept = `${base}/invitations/${String(invitation.body.invitationId)}/commands/accept`;
    expect((await ask('POST', accept, { token: eve.token, body: { secret: BODY } })).status).toBe(404);
    expect((await ask('POST', accept, { token: eve.token, body: { secret: invitation.body.secret } })).status).toBe(201);
    const identity = await ask('POST', `${base}/identities`, { token, body: { controller: ada.userId } });
    expect(identity.status).toBe(201);
    book = `/v1/pixbooks/bk_${'0'.repeat(26)}`;
    expect((await ask('GET', '/metrics', { token: METRICS_TOKEN })).status).toBe(200);
  });

  it('is misused: refusals of every kind', async () => {
    const { token } = ada;
    const email = `ada-${randomUUID()}@pixpax.example`;
    for (const path of ['/v1/accounts', base, '/metrics', '/v1/admin/runs', '/v1/sessions', '/nothing']) {
      for (const wrong of [
        { token: WRONG_TOKEN },
        { headers: { Cookie: `session=${WRONG_COOKIE}; pixpax.session_token=${WRONG_COOKIE}` } },
      ])
        await ask('GET', path, wrong);
      await ask('GET', `${path}?token=${QUERY}&asOf=${QUERY}&${NAME}=1`, { token });
      await ask('GET', path, {
        token,
        headers: { Accept: HEADER, 'X-Request-Id': `${HEADER} x`, traceparent: HEADER, 'If-None-Match': HEADER },
      });
      await ask('POST', path, { token, body: { [NAME]: BODY, state: BODY } });
      await ask('POST', path, { token, body: `{"${NAME}":"${BODY}"` });
      await ask('POST', path, { token, body: `{"a":1,"a":"${BODY}"}` });
      await ask('POST', path, { token, body: BODY, headers: { 'Content-Type': `text/${HEADER}` } });
      await ask('POST', path, { token, headers: { 'Idempotency-Key': `${HEADER} with a space` } });
      await ask('POST', path, { token, headers: { 'If-Match': HEADER } });
    }
    await ask('POST', '/v1/auth/sign-in/email', { body: { email, password: WRONG_PASSWORD }, headers: fromElsewhere() });
    await ask('POST', '/v1/auth/sign-up/email', {
      body: { email: BODY, password: WRONG_PASSWORD, name: '' },
      headers: fromElsewhere(),
    });
    await ask('POST', '/v1/auth/change-password', { token, body: { currentPassword: WRONG_PASSWORD, newPassword: PASSWORD } });
    await ask('POST', '/v1/codes/commands/claim', { token, body: { code: TYPED_CODE, bookId: book.split('/').at(-1) } });
    await ask('POST', '/v1/accounts', { token: apiKey.slice(0, -1) });
    await ask('GET', '/v1/accounts', { token: 'eyJhbGciOiJub25lIn0.e30.' });
    await ask('POST', '/v1/api-keys', { token, body: { name: BODY, scopes: [BODY] } });
  });

  it('loses its store, its Vault and its Postgres', async () => {
    const { token } = ada;
    const command = () => ask('POST', `${base}/identities`, { token, body: { controller: ada.userId } });
    await rename(join(folder, 'receipts'), join(folder, 'receipts.away'));
    expect((await command()).status).toBe(503);
    await rename(join(folder, 'receipts.away'), join(folder, 'receipts'));
    vault.failNext(/sign/, { status: 403, errors: [`permission denied ${String(secrets.get('VAULT_SECRET_ID'))}`] }, 20);
    expect((await command()).status).toBe(503);
    vault.revokeAllTokens();
    vault.state.sealed = true;
    expect((await command()).status).toBe(503);
    vault.state.sealed = false;
    const rows = await everythingIn(database.url, ['projection', 'ops']);
    expect(rows).toContain(base.split('/').at(-1));
    expectNowhere(rows);
    await database.drop();
    for (const path of ['/v1/accounts', base, '/health/ready']) expect((await ask('GET', path, { token })).status).toBe(503);
    await ask('POST', '/v1/auth/sign-in/email', {
      body: { email: 'a@pixpax.example', password: PASSWORD },
      headers: fromElsewhere(),
    });
  });

  it('is in no argument of a process, no metric, no receipt, no answer, and no line of the log', async () => {
    expectNowhere((await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).replaceAll('\0', ' '));
    const metrics = await ask('GET', '/metrics', { token: METRICS_TOKEN });
    expect(metrics.status).toBe(200);
    expectNowhere(metrics.text);
    for (const file of await readdir(join(folder, 'receipts'), { recursive: true, withFileTypes: true }))
      if (file.isFile()) expectNowhere(await readFile(join(file.parentPath, file.name), 'utf8'));
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    expect(answers.length).toBeGreaterThan(50);
    expectNowhere(answers.join('\n'), ['NAME']);
    const lines = printed.split('\n').filter((line) => line !== '');
    expect(lines.length).toBeGreaterThan(60);
    expectNowhere(printed);
    // What the log is for, it still tells.
    expect(printed).toContain('signer-refused');
    expect(printed).toContain('postgres-unavailable');
  });
});
