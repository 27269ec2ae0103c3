import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseConfig } from './config.ts';
import { variables } from './environment.ts';

const folder = mkdtempSync(join(tmpdir(), 'pixpax-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const faultsOf = (env: Record<string, string>): string[] => {
  const parsed = parseConfig(env, '/srv');
  return parsed.ok ? [] : parsed.error.map(({ variable }) => variable).sort();
};
const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://ledger@db/pixpax',
  RECEIPT_STORE: 's3://pixpax?endpoint=https://ams3.example&region=ams3',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'secret',
  SIGNER: 'vault',
  VAULT_ADDR: 'https://vault.example',
  VAULT_TOKEN: 'token',
  PUBLIC_URL: 'https://ledger.example/',
  AUTH_SECRET: 'x'.repeat(32),
  CODE_SECRET: 'y'.repeat(32),
};

describe('the configuration', () => {
  it('needs nothing on a fresh machine, and keeps everything below ./data', () => {
    expect(parseConfig({}, '/srv')).toMatchObject({
      ok: true,
      value: {
        host: '127.0.0.1',
        port: 8080,
        database: { kind: 'embedded', directory: '/srv/data/postgres' },
        receiptStore: 'fs:/srv/data/receipts',
        signer: { kind: 'local', directory: '/srv/data/keys' },
        authSecret: null,
        codeSecret: null,
        operatorUsers: [],
        demo: true,
        rateLimits: true,
        driftEveryHours: 24,
      },
    });
  });

  it('takes an empty variable for an absent one', () => {
    expect(parseConfig({ DATABASE_URL: '', SIGNER: '', PORT: '' }, '/srv').ok).toBe(true);
  });

  it('looks for drift by the clock where it is told to, and where Postgres is embedded', () => {
    expect(parseConfig({ DRIFT_EVERY_HOURS: '0' }, '/srv')).toMatchObject({ value: { driftEveryHours: 0 } });
    expect(parseConfig({ ...production, DRIFT_EVERY_HOURS: '6' }, '/srv')).toMatchObject({ value: { driftEveryHours: 6 } });
    expect(faultsOf({ DRIFT_EVERY_HOURS: '-1' })).toEqual(['DRIFT_EVERY_HOURS']);
    expect(faultsOf({ DRIFT_EVERY_HOURS: 'daily' })).toEqual(['DRIFT_EVERY_HOURS']);
  });

  it('lists every fault at once', () => {
    const env = { PORT: 'http', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://x', SIGNER: 'me', TRUST_FINGERPRINT: 'sha256:AB' };
    expect(faultsOf(env)).toEqual(['DATABASE_URL', 'LOG_LEVEL', 'PORT', 'SIGNER', 'TRUST_FINGERPRINT']);
  });

  it('accepts production when every part is named', () => {
    const parsed = parseConfig(production, '/srv');
    expect(parsed).toMatchObject({
      ok: true,
      value: { host: '0.0.0.0', publicUrl: 'https://ledger.example', demo: false, driftEveryHours: 0 },
    });
  });

  it.each(['DATABASE_URL', 'RECEIPT_STORE', 'SIGNER', 'PUBLIC_URL', 'AUTH_SECRET', 'CODE_SECRET'])(
    'refuses production without %s',
    (variable) => {
      expect(faultsOf({ ...production, [variable]: '' })).toContain(variable);
    },
  );

  it('lets production have embedded parts that are asked for by name', () => {
    expect(faultsOf({ ...production, DATABASE_URL: 'embedded', RECEIPT_STORE: 'fs:/data', SIGNER: 'local' })).toEqual([]);
  });

  it('demands what the chosen parts need', () => {
    expect(faultsOf({ SIGNER: 'vault' })).toEqual(['VAULT_ADDR', 'VAULT_TOKEN']);
    expect(faultsOf({ RECEIPT_STORE: 's3://bucket' })).toEqual(['AWS_ACCESS_KEY_ID']);
    expect(faultsOf({ TRUSTED_ORIGINS: 'https://a.example, b.example' })).toEqual(['TRUSTED_ORIGINS']);
  });

  it.each([
    [{ VAULT_KUBERNETES_ROLE: 'ledger' }, 'kubernetes'],
    [{ VAULT_ROLE_ID: 'r', VAULT_SECRET_ID: 's', VAULT_TOKEN: '' }, 'approle'],
    [{ VAULT_TOKEN: 't' }, 'token'],
  ])('logs in to Vault as %o says', (env, method) => {
    expect(parseConfig({ ...production, ...env }, '/srv')).toMatchObject({ value: { signer: { login: { method } } } });
  });

  it.each([
    ['usr_01JZDEM0000000000000000000', ['usr_01JZDEM0000000000000000000']],
    [' usr_a , usr_b,usr_a,', ['usr_a', 'usr_b']],
    [',', []],
  ])('makes operators of the users in %o', (users, operatorUsers) => {
    expect(parseConfig({ OPERATOR_USERS: users }, '/srv')).toMatchObject({ ok: true, value: { operatorUsers } });
  });

  it('names the items of a list of operators that are no ids, and quotes none: they may be addresses of people', () => {
    const parsed = parseConfig({ OPERATOR_USERS: 'usr_a, canary@pixpax.example, usr b' }, '/srv');
    expect(parsed).toMatchObject({
      ok: false,
      error: [
        { variable: 'OPERATOR_USERS', detail: expect.stringMatching(/item 2 is not 1 to 64 of/) },
        { variable: 'OPERATOR_USERS', detail: expect.stringMatching(/item 3 is not/) },
      ],
    });
    expect(JSON.stringify(parsed)).not.toContain('canary');
  });

  it('reads secrets from files, one way or the other but not both', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, `${'y'.repeat(40)}\n`);
    expect(parseConfig({ AUTH_SECRET_FILE: file }, '/srv')).toMatchObject({ value: { authSecret: 'y'.repeat(40) } });
    expect(parseConfig({ CODE_SECRET_FILE: file }, '/srv')).toMatchObject({ value: { codeSecret: 'y'.repeat(40) } });
    expect(faultsOf({ AUTH_SECRET_FILE: file, AUTH_SECRET: 'z'.repeat(40) })).toEqual(['AUTH_SECRET']);
    expect(faultsOf({ AUTH_SECRET_FILE: join(folder, 'missing') })).toEqual(['AUTH_SECRET_FILE']);
  });

  it('reads every secret from a file too, as orchestrators hand them out', () => {
    const isSecret = (name: string): boolean =>
      (/(SECRET|TOKEN|KEY|KEY_ID|SECRET_ID|PASSWORD|PASSPHRASE|PEM)$/.test(name) || /_URL$/.test(name)) && name !== 'PUBLIC_URL';
    const plain = variables.filter((name) => !name.endsWith('_FILE'));
    expect(plain.filter(isSecret)).toEqual(expect.arrayContaining(['AUTH_SECRET', 'DATABASE_URL', 'VAULT_TOKEN']));
    expect(plain.filter((name) => isSecret(name) && !variables.includes(`${name}_FILE`))).toEqual([]);
  });

  it.each(['PUBLIC_URL', 'VAULT_ADDR'])('takes no name or password in %s, which is shown, and does not quote it', (variable) => {
    for (const url of ['https://canary@ledger.example', 'https://:canary@ledger.example', 'https://a:canary@ledger.example/']) {
      const parsed = parseConfig({ [variable]: url }, '/srv');
      expect(parsed).toMatchObject({ ok: false, error: [{ variable }] });
      expect(JSON.stringify(parsed)).not.toContain('canary');
    }
  });

  it('takes an empty file for no secret', () => {
    const file = join(folder, 'empty');
    writeFileSync(file, '\n');
    for (const variable of ['AUTH_SECRET', 'CODE_SECRET', 'DATABASE_URL', 'VAULT_TOKEN'])
      expect(faultsOf({ [`${variable}_FILE`]: file })).toEqual([variable]);
  });

  it('never quotes a secret in a fault', () => {
    const parsed = parseConfig({ AUTH_SECRET: 'canary', CODE_SECRET: 'canary', DATABASE_URL: 'canary' }, '/srv');
    expect(parsed).toMatchObject({
      ok: false,
      error: expect.arrayContaining([{ variable: 'CODE_SECRET', detail: 'must be at least 32 characters' }]),
    });
    expect(JSON.stringify(parsed)).not.toContain('canary');
  });
});
