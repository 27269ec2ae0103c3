import { limits } from '../../limits.ts';
import { type Clock, systemClock } from '../../port/clock.ts';
import type { KeyName, Signer } from '../../port/signer.ts';
import { requireKeyName } from '../key-name.ts';
import { inBatches } from './batch.ts';
import { type VaultConfig, vaultConfigProblems } from './config.ts';
import { type VaultCall, connectVault } from './connection.ts';
import { namesInvalidToken, outageOfHealth } from './failure.ts';
import { logIn, renew } from './login.ts';
import { VaultSession } from './session.ts';
import { type Ask, createTransitKey, probeTransit, signWithTransit } from './transit.ts';

/**
 * Keys in the Transit engine of Vault or OpenBao. Logs in in the background and goes on trying: a Vault that is away when the service
 * starts is an `Outage` of each call and of `check`, never of this function. Rejects with TypeError when the configuration cannot
 * work; its parser should have said so.
 *
 * Least privilege (k8s/vault-policy.hcl): `update` on `{mount}/sign/pixpax-*`; `update` and `read` on `{mount}/keys/+` with the type
 * as the only parameter; `auth/token/lookup-self` and `auth/token/renew-self`. Not `{mount}/keys/pixpax-*`: the star also covers
 * `/config`, `/rotate` and `/trim` of a key.
 */
export const openVaultSigner = async (config: VaultConfig, clock: Clock = systemClock): Promise<Signer> => {
  const problems = vaultConfigProblems(config);
  if (problems.length > 0) throw new TypeError(problems.join('; '));
  const connection = connectVault(config, clock);
  const session = new VaultSession(
    {
      logIn: () => logIn(connection.call, config.login),
      renew: (token) => renew(connection.call, token),
      canLogInAgain: config.login.method !== 'token',
      refusedLoginMs: config.login.method === 'approle' ? limits.vaultLockoutMs : limits.vaultRefusedLoginMs,
    },
    clock,
  );
  const ask = askWithToken(connection.call, session);
  const sign = signer(ask, config.transitMount);

  return {
    description: `vault at ${config.address}`,
    createKey: async (name) => {
      requireKeyName(name);
      return createTransitKey(ask, config.transitMount, name);
    },
    sign: async (name, message) => {
      requireKeyName(name);
      return sign(name, message);
    },
    check: async () => {
      await checkHealth(connection.call);
      await probeTransit(ask, config.transitMount);
    },
    close: async () => {
      connection.close();
      await session.close();
    },
  };
};

/** Calls with the session's token; when Vault turns it away, once more with a new one if that can help. */
const askWithToken =
  (call: VaultCall, session: VaultSession): Ask =>
  async (request) => {
    const pass = await session.current();
    const answer = await call({ ...request, token: pass.token });
    if (answer.ok || answer.error.statusCode !== 403) return answer;
    const other = await session.replace(pass, namesInvalidToken(answer.error));
    return other === null ? answer : call({ ...request, token: other.token });
  };

/** One collector per key with calls waiting: signatures asked for in one turn of the event loop travel together. */
const signer = (ask: Ask, mount: string): Signer['sign'] => {
  const collectors = new Map<KeyName, (message: Uint8Array) => Promise<Uint8Array>>();
  return (name, message) => {
    let collect = collectors.get(name);
    if (collect === undefined) {
      collect = inBatches(limits.vaultBatchSignatures, (messages) => {
        // The batch is on its way: the next turn makes a new collector, and keys not in use take no memory.
        collectors.delete(name);
        return signWithTransit(ask, mount, name, messages);
      });
      collectors.set(name, collect);
    }
    return collect(message);
  };
};

const checkHealth = async (call: VaultCall): Promise<void> => {
  const answer = await call({ what: 'sys/health', method: 'GET', path: 'sys/health', token: null, rootNamespace: true });
  const outage = outageOfHealth(answer.ok ? answer.value : undefined);
  if (outage !== null) throw outage;
};
