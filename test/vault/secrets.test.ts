import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type VaultLogin, vaultConfigProblems } from '../../src/adapter/vault/config.ts';
import { openVault } from '../../src/adapter/vault/open.ts';
import type { KeyName } from '../../src/port/signer.ts';
import { type Fault, type VaultStandIn, startVaultStandIn } from '../vault-stand-in.ts';
import { configOf, outageOf, quickClock, withSigner } from './open.ts';

const KEY: KeyName = 'pixpax-idn_01JZ0000000000000000000000-0';
const CANARY = 'hvs.CANARY-cH1rp';

let vault: VaultStandIn;
let directory: string;
beforeEach(async () => {
  vault = await startVaultStandIn();
  directory = await mkdtemp(join(tmpdir(), 'vault secrets '));
});
afterEach(async () => {
  await vault.close();
  await rm(directory, { recursive: true });
});

/** Everything a careless log line could print of an error. */
const everythingOf = (error: unknown): string =>
  [
    inspect(error, { depth: 20, showHidden: true }),
    JSON.stringify(error),
    String(error),
    error instanceof Error ? error.stack : '',
  ].join();

const logins: readonly (readonly [string, () => Promise<VaultLogin>])[] = [
  ['a token', async () => ({ method: 'token', token: CANARY })],
  ['a secret id', async () => ({ method: 'approle', mountPath: 'approle', roleId: 'role', secretId: CANARY })],
  [
    'a service-account token',
    async () => {
      const jwtFile = join(directory, 'jwt');
      await writeFile(jwtFile, `${CANARY}\n`);
      return { method: 'kubernetes', mountPath: 'kubernetes', role: 'pixpax', jwtFile };
    },
  ],
];

const faults: readonly (readonly [string, Fault])[] = [
  ['turns it away', { status: 403, errors: ['permission denied'] }],
  ['quotes it', { status: 400, errors: [`what is ${CANARY} supposed to be?`, CANARY.repeat(9)] }],
  ['quotes it in a fault of its own', { status: 500, errors: [`panic at ${CANARY}`] }],
  ['gives it back as an answer', { body: { errors: [CANARY], auth: { client_token: [CANARY] }, data: { ttl: CANARY } } }],
  ['gives it back as a page', { text: `<html>${CANARY}` }],
  ['cuts the connection', 'reset'],
  ['says nothing', 'hang'],
];

describe.each(logins)('%s', (_, loginOf) => {
  it.each(faults)('is in no error when Vault %s', async (_, fault) => {
    const config = configOf(vault, await loginOf());
    vault.failNext(/./, fault, 100);
    await withSigner(
      config,
      async (signer) => {
        for (const call of [() => signer.sign(KEY, Buffer.from('x')), () => signer.createKey(KEY), () => signer.check()]) {
          const outage = await outageOf(call());
          expect(outage).toMatchObject({ name: 'Outage', dependency: 'signer' });
          expect(everythingOf(outage)).not.toContain('CANARY');
        }
        expect(everythingOf(signer)).not.toContain('CANARY');
      },
      quickClock,
    );
  });

  it('is in no error when nothing listens', async () => {
    const config = { ...configOf(vault, await loginOf()), address: 'http://127.0.0.1:1' };
    await withSigner(config, async (signer) => {
      expect(everythingOf(await outageOf(signer.sign(KEY, Buffer.from('x'))))).not.toContain('CANARY');
    });
  });
});

it('shows what Vault quotes on one line, shortened and without control characters', async () => {
  await withSigner(configOf(vault), async (signer) => {
    vault.failNext(/sign/, { status: 400, errors: [`a\n\n\tb\u001b[31mc\u0000d ${'long '.repeat(1000)}`] });
    const { message } = await outageOf(signer.sign(KEY, Buffer.from('x')));
    expect(message).toContain('(a b [31mc d long long');
    expect(message.length).toBeLessThan(600);
  });
});

describe('the environment', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('does not get between the configuration and Vault', async () => {
    vi.stubEnv('VAULT_ADDR', 'http://127.0.0.1:1');
    vi.stubEnv('VAULT_TOKEN', CANARY);
    vi.stubEnv('VAULT_NAMESPACE', 'elsewhere');
    vi.stubEnv('VAULT_PREFIX', '/elsewhere');
    await withSigner(configOf(vault), async (signer) => {
      await signer.createKey(KEY);
      expect(await signer.check()).toBeUndefined();
    });
  });
});

describe('a namespace', () => {
  it('goes with each call but the question after health, which only the root answers', async () => {
    vault.state.namespace = 'team/pixpax';
    const config = configOf(vault);
    await withSigner({ ...config, namespace: 'team/pixpax' }, async (signer) => {
      expect(await signer.createKey(KEY)).toHaveLength(91);
      expect(await signer.check()).toBeUndefined();
    });
    await withSigner(config, async (signer) => {
      expect(await outageOf(signer.createKey(KEY))).toMatchObject({ code: 'signer-refused' });
    });
  });
});

describe('a configuration', () => {
  it.each([
    ['an address with a password', { address: 'https://me:CANARY@vault:8200' }, /address/],
    ['an address with a path', { address: 'https://vault:8200/v1' }, /address/],
    ['an address of another kind', { address: 'ftp://vault' }, /address/],
    ['no address', { address: '' }, /address/],
    ['a mount that climbs', { transitMount: '../sys' }, /Transit mount/],
    ['a mount with slashes at its ends', { transitMount: '/transit/' }, /Transit mount/],
    ['an empty namespace', { namespace: '' }, /namespace/],
    ['authorities that are none', { caPem: '/etc/ssl/vault.pem' }, /authorities/],
    ['no token', { login: { method: 'token', token: '' } }, /token/],
    ['a token with a line break', { login: { method: 'token', token: 'CANARY\n' } }, /line break/],
    [
      'a mount of AppRole with a query',
      { login: { method: 'approle', mountPath: 'a?b', roleId: 'r', secretId: 's' } },
      /approle mount/,
    ],
    ['no secret id', { login: { method: 'approle', mountPath: 'approle', roleId: 'r', secretId: '' } }, /secret id/],
    ['no role', { login: { method: 'kubernetes', mountPath: 'kubernetes', role: '', jwtFile: '/x' } }, /role/],
    ['no token file', { login: { method: 'kubernetes', mountPath: 'kubernetes', role: 'r', jwtFile: '' } }, /service-account/],
  ] as const)('with %s is refused by name', async (_, wrong, problem) => {
    const config = { ...configOf(vault), ...wrong };
    expect(vaultConfigProblems(config)).toEqual([expect.stringMatching(problem)]);
    const error: unknown = await openVault(config).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect(everythingOf(error)).not.toContain('CANARY');
  });

  it.each(['http://127.0.0.1:8200', 'https://vault.example', 'https://[::1]:8200/'])('may have the address %s', (address) => {
    expect(vaultConfigProblems({ ...configOf(vault), address, transitMount: 'teams/pixpax/transit' })).toEqual([]);
  });
});
