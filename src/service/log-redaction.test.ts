import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../config.ts';
import { Outage } from '../port/outage.ts';
import { openLog } from './log.ts';

const CANARY = 'canary-5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e';

const env = {
  ...{ LOG_LEVEL: 'trace', AUTH_SECRET: `auth-${CANARY}`, CODE_SECRET: `code-${CANARY}`, METRICS_TOKEN: `metrics-${CANARY}` },
  ...{ DATABASE_URL: 'postgres://ledger:p%40ss-canary@db/pixpax', SIGNER: 'vault', VAULT_ADDR: 'http://vault:8200' },
  ...{
    VAULT_TOKEN: 'root-canary-token',
    RECEIPT_STORE: 's3://pixpax',
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 's3-canary/+',
  },
};

/** What a log of this configuration writes. */
const written = (write: (log: ReturnType<typeof openLog>) => void): string => {
  const config = parseConfig(env, '/srv');
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const lines: string[] = [];
  write(openLog(config.value, { write: (line) => void lines.push(line) }));
  for (const line of lines) JSON.parse(line); // every line is JSON still
  return lines.join('');
};

/** As node-vault throws it. */
const vaultError = Object.assign(new Error('Status 403'), {
  response: { statusCode: 403, body: { errors: ['permission denied'], canary: CANARY } },
  config: { headers: { 'X-Vault-Token': CANARY }, data: CANARY },
  request: { _header: `X-Vault-Token: ${CANARY}` },
});

const request = new Request('http://localhost/', {
  method: 'POST',
  headers: { Authorization: `Bearer ${CANARY}` },
  body: CANARY,
});

describe('the log', () => {
  it.each([
    ['an error of Vault’s client, with the request it made', { err: vaultError }],
    ['the same as a cause', { err: new Error('signing failed', { cause: vaultError }) }],
    ['the same in an aggregate', { err: new AggregateError([vaultError], 'all failed') }],
    ['an error thrown as it is', vaultError],
    ['a plain object as a cause', { err: new Error('x', { cause: { token: CANARY, deep: [{ password: CANARY }] } }) }],
    ['a request', { req: request, request }],
    ['its header fields', { headers: request.headers, h: Object.fromEntries(request.headers) }],
    ['header fields of Node', { req: { headers: { cookie: `a=${CANARY}`, authorization: CANARY }, rawHeaders: ['x', CANARY] } }],
    ['a body', { body: { state: CANARY }, rawBody: CANARY, payload: { secret: CANARY } }],
    ['bytes', { bytes: Buffer.from(CANARY), view: new Uint8Array(Buffer.from(CANARY)) }],
    ['a receipt with its signature', { receipt: { signature: `ecdsa-p256:${CANARY}`, payload: { state: CANARY } } }],
    [
      'codes, secrets and keys under their names',
      { codes: [CANARY], secret: CANARY, apiKey: CANARY, 'api-key': CANARY, API_KEY: CANARY },
    ],
    [
      'what Postgres was asked',
      { err: Object.assign(new pg.DatabaseError('refused', 1, 'error'), { detail: CANARY, where: CANARY }) },
    ],
    [
      'maps, sets and things of classes',
      { map: new Map([[CANARY, CANARY]]), set: new Set([CANARY]), params: new URLSearchParams({ a: CANARY }) },
    ],
    ['the configuration and the environment', { config: env, env, argv: [CANARY] }],
    ['things that are nested', { a: { b: { c: { password: CANARY, headers: { x: CANARY } } } } }],
    [
      'an outage that carries one',
      { err: Object.assign(new Outage('signer', 'signer-refused', 'refused'), { response: { token: CANARY } }) },
    ],
  ])('does not show the secret of %s', (_, logged) => {
    const text = written((log) => log.error(logged, 'something failed'));
    expect(text).toContain('something failed');
    expect(text).not.toContain('canary');
  });

  it.each([
    ['a secret of the configuration', `failed with auth-${CANARY}`],
    ['the password of the database, decoded', 'password authentication failed: p@ss-canary'],
    ['the address of the database', `cannot reach ${env.DATABASE_URL}`],
    ['the token of Vault', 'root-canary-token'],
    ['the keys of the store', 's3-canary/+ and s3-canary%2F%2B'],
    ['an Authorization field', 'sent authorization: Bearer canary.bearer-token'],
    ['the cookie of a session', '__Host-pixpax.session_token=canary.signed; Path=/'],
    ['an API key', `key pixpax_${'canary'.repeat(8)} is wrong`],
    ['a token of Vault that was given later', 'hvs.canarycanarycanary'],
    ['a signature', `ecdsa-p256:${'canary'.repeat(10)}`],
    ['another address with a password', 'proxy http://user:canary@proxy:3128 refused'],
    ['a token with dots', 'eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOiJjYW5hcnkifQ.canarycanary'],
    ['parameters', '?token=canary&password=canary'],
  ])('does not show %s in a message, a reason or a stack', (_, text) => {
    const seen = written((log) => {
      log.warn(text);
      log.warn({ reason: text, said: [text] }, 'outage');
      log.error({ err: new Error(text) }, 'request failed');
      log.child({ place: text, err: new Error(text), headers: { x: text } }).info('below');
    });
    expect(seen.split('\n').filter((line) => line !== '')).toHaveLength(4);
    expect(seen).not.toContain('canary');
  });

  it('shows what people need: type, message, stack, code and cause of an error, and plain data as it is', () => {
    const cause = Object.assign(new TypeError('the cause'), { code: 'ECONNRESET' });
    const text = written((log) =>
      log.error({ err: new Error('the error', { cause }), route: '/v1/x', ms: 3, list: [1] }, 'failed'),
    );
    expect(JSON.parse(text)).toMatchObject({
      err: {
        type: 'Error',
        message: 'the error',
        stack: expect.stringContaining('log-redaction.test'),
        cause: { type: 'TypeError', code: 'ECONNRESET' },
      },
      ...{ route: '/v1/x', ms: 3, list: [1], level: 'error', msg: 'failed' },
    });
  });

  it('takes what has no end, or throws when it is looked at', () => {
    const endless: Record<string, unknown> = {};
    endless.self = endless;
    const error = new Error('round');
    error.cause = error;
    expect(written((log) => log.error({ endless, err: error }, 'round'))).toContain('[deeper]');
  });
});
