import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VaultLogin } from '../../src/adapter/vault/config.ts';
import { limits } from '../../src/limits.ts';
import { type Clock, systemClock } from '../../src/port/clock.ts';
import type { KeyName, Signer } from '../../src/port/signer.ts';
import { type VaultStandIn, startVaultStandIn } from '../vault-stand-in.ts';
import { appRoleOf, configOf, outageOf, withSigner } from './open.ts';

const KEY: KeyName = 'pixpax-idn_01JZ0000000000000000000000-0';
const MESSAGE = Buffer.from('{}');

let vault: VaultStandIn;
beforeEach(async () => {
  vault = await startVaultStandIn();
});
afterEach(() => vault.close());

const count = (call: RegExp): number => vault.asked.filter((line) => call.test(line)).length;

describe('AppRole', () => {
  it('logs in once, however many calls wait for it', async () => {
    await withSigner(configOf(vault, appRoleOf(vault)), async (signer) => {
      await Promise.all(Array.from({ length: 64 }, () => signer.createKey(KEY)));
      expect(count(/approle\/login/)).toBe(1);
    });
  });

  it('logs in again, once, when its token has ended, and no call fails', async () => {
    await withSigner(configOf(vault, appRoleOf(vault)), async (signer) => {
      const keys = Array.from({ length: 16 }, (_, i): KeyName => `pixpax-key-${i}`);
      await Promise.all(keys.map((key) => signer.createKey(key)));
      vault.revokeAllTokens();
      const signatures = await Promise.all(keys.map((key) => signer.sign(key, MESSAGE)));
      expect(signatures.map((signature) => signature.length)).toEqual(keys.map(() => 64));
      expect(count(/approle\/login/)).toBe(2);
    });
  });

  it('does not guess a wrong secret again: five guesses would lock the role for everybody', async () => {
    const login: VaultLogin = { ...appRoleOf(vault), secretId: 'wrong' } as VaultLogin;
    const pauses: number[] = [];
    const sleep: Clock['sleep'] = (ms, signal) => {
      pauses.push(ms);
      return systemClock.sleep(ms, signal);
    };
    const guess = async (signer: Signer): Promise<void> => {
      for (let i = 0; i < 50; i += 1) {
        const outage = await outageOf(signer.sign(KEY, MESSAGE));
        expect(outage).toMatchObject({
          code: 'signer-refused',
          message: expect.stringMatching(/invalid role or secret ID.*secret id/),
        });
      }
    };
    await withSigner(configOf(vault, login), guess, { ...systemClock, sleep });
    expect(count(/approle\/login/)).toBe(1);
    expect(Math.max(...pauses)).toBeGreaterThanOrEqual(limits.vaultLockoutMs);
  });

  it('does not repeat a login whose answer was lost at once: a secret id may be good for one use only', async () => {
    vault.failNext(/login/, 'reset');
    await withSigner(configOf(vault, appRoleOf(vault)), async (signer) => {
      expect(await outageOf(signer.createKey(KEY))).toMatchObject({ code: 'signer-unavailable' });
      await expect.poll(() => signer.createKey(KEY).catch(() => null), { timeout: 10_000 }).toHaveLength(91);
    });
  });

  it('says where to look when the role is locked', async () => {
    const login = appRoleOf(vault);
    const guess = { ...login, secretId: 'wrong' } as VaultLogin;
    for (let i = 0; i < 5; i += 1) await withSigner(configOf(vault, guess), (signer) => outageOf(signer.check()));
    await withSigner(configOf(vault, login), async (signer) => {
      expect(await outageOf(signer.check())).toMatchObject({ message: expect.stringContaining('sys/locked-users') });
    });
  });

  it('does not log in over and over when it is the policy that denies', async () => {
    await withSigner(configOf(vault, appRoleOf(vault, { policy: 'nothing' })), async (signer) => {
      for (let i = 0; i < 10; i += 1) expect(await outageOf(signer.sign(KEY, MESSAGE))).toMatchObject({ code: 'signer-refused' });
      expect(count(/approle\/login/)).toBe(1);
    });
  });

  it('gets over an old Vault that does not say that the token has ended, once the token is not fresh', async () => {
    let nowMs = 0;
    const clock: Clock = { ...systemClock, now: () => nowMs };
    vault.state.namesInvalidTokens = false;
    await withSigner(
      configOf(vault, appRoleOf(vault)),
      async (signer) => {
        await signer.createKey(KEY);
        vault.revokeAllTokens();
        expect(await outageOf(signer.sign(KEY, MESSAGE))).toMatchObject({ code: 'signer-refused' });
        nowMs = 60_000;
        expect(await signer.sign(KEY, MESSAGE)).toHaveLength(64);
      },
      clock,
    );
  });

  it.each([
    ['a login answer without a token', { auth: { lease_duration: 1, renewable: true } }, /client_token/],
    [
      'a login that wants a second factor',
      { auth: { client_token: '', lease_duration: 0, mfa_requirement: {} } },
      /client_token/,
    ],
    ['a login answer without a lease', { auth: { client_token: 'hvs.x', renewable: true } }, /lease_duration/],
    ['a login answer with a lease before now', { auth: { client_token: 'hvs.x', lease_duration: -1 } }, /lease_duration/],
    ['a token with a line break', { auth: { client_token: 'hvs.x\r\nX-Evil: 1', lease_duration: 60 } }, /client_token/],
  ])('does not take %s', async (_, body, text) => {
    vault.failNext(/login/, { body }, 100);
    await withSigner(configOf(vault, appRoleOf(vault)), async (signer) => {
      expect(await outageOf(signer.check())).toMatchObject({ code: 'signer-unavailable', message: expect.stringMatching(text) });
    });
  });
});

describe('Kubernetes', () => {
  let directory: string;
  let jwtFile: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vault jwt '));
    jwtFile = join(directory, 'token');
  });
  afterEach(() => rm(directory, { recursive: true }));

  const kubernetes = (role = 'ledger'): VaultLogin => ({ method: 'kubernetes', mountPath: 'kubernetes', role, jwtFile });

  it('logs in with the token that the kubelet has put there, read anew each time', async () => {
    vault.addKubernetesRole('ledger', 'first.jwt');
    await writeFile(jwtFile, 'first.jwt\n');
    await withSigner(configOf(vault, kubernetes()), async (signer) => {
      await signer.createKey(KEY);
      vault.addKubernetesRole('ledger', 'second.jwt');
      await writeFile(jwtFile, 'second.jwt');
      vault.revokeAllTokens();
      expect(await signer.sign(KEY, MESSAGE)).toHaveLength(64);
      expect(count(/kubernetes\/login/)).toBe(2);
    });
  });

  it.each<[string, () => Promise<VaultLogin>, RegExp]>([
    ['a role that Vault does not know', async () => kubernetes('other'), /invalid role name "other".*bound/],
    ['another account than the role wants', async () => kubernetes(), /403.*bound/],
    ['a method enabled elsewhere', async () => ({ ...kubernetes(), mountPath: 'k8s' }) as VaultLogin, /403.*enabled/],
    [
      'no token in its place',
      () => rm(jwtFile).then(() => kubernetes()),
      /no service-account token.*automountServiceAccountToken/,
    ],
    ['an empty file in its place', () => writeFile(jwtFile, ' \n').then(() => kubernetes()), /no service-account token/],
  ])('says what to do about %s', async (_, loginOf, text) => {
    vault.addKubernetesRole('ledger', 'right.jwt');
    await writeFile(jwtFile, 'wrong.jwt');
    await withSigner(configOf(vault, await loginOf()), async (signer) => {
      expect(await outageOf(signer.check())).toMatchObject({ code: 'signer-refused', message: expect.stringMatching(text) });
    });
  });
});

describe('a given token', () => {
  it('is used without a login', async () => {
    await withSigner(configOf(vault), async (signer) => {
      await signer.createKey(KEY);
      expect(vault.asked).toEqual(['GET auth/token/lookup-self', `POST transit/keys/${KEY}`, `GET transit/keys/${KEY}`]);
    });
  });

  it('is used when its policy keeps its life secret', async () => {
    const token = vault.issueToken({ defaultPolicy: false });
    await withSigner(configOf(vault, { method: 'token', token }), async (signer) => {
      expect(await signer.createKey(KEY)).toHaveLength(91);
    });
  });

  it('is refused with the reason when it was never good', async () => {
    await withSigner(configOf(vault, { method: 'token', token: 'hvs.made-up' }), async (signer) => {
      expect(await outageOf(signer.check())).toMatchObject({
        code: 'signer-refused',
        message: expect.stringContaining('invalid token'),
      });
    });
  });

  it('is refused with the reason when it has ended', async () => {
    await withSigner(configOf(vault), async (signer) => {
      await signer.createKey(KEY);
      vault.revokeAllTokens();
      const outage = await outageOf(signer.sign(KEY, MESSAGE));
      expect(outage).toMatchObject({ code: 'signer-refused', message: expect.stringContaining('the token has ended') });
    });
  });
});

describe('a lease', () => {
  /** Ten seconds of a lease pass in a hundredth of a second; both sides agree on that. */
  const FASTER = 1000;
  const startMs = Date.now();
  const clock: Clock = {
    now: () => (Date.now() - startMs) * FASTER,
    random: Math.random,
    sleep: (ms, signal) => systemClock.sleep(ms === 5_000 ? ms : ms / FASTER, signal),
  };

  it.each([
    ['renewals run into the maximal life', { leaseSeconds: 300, maxLeaseSeconds: 600, renewable: true }, 'GET'],
    ['tokens cannot be renewed', { leaseSeconds: 300, maxLeaseSeconds: 300, renewable: false }, 'GET'],
  ])('is followed by another before it ends when %s', async (_, terms) => {
    vault.state.now = clock.now;
    await withSigner(
      configOf(vault, appRoleOf(vault, terms)),
      async (signer) => {
        await signer.createKey(KEY);
        for (const endMs = Date.now() + 1500; Date.now() < endMs; ) expect(await signer.sign(KEY, MESSAGE)).toHaveLength(64);
        expect(count(/approle\/login/)).toBeGreaterThan(2);
      },
      clock,
    );
  });
});
