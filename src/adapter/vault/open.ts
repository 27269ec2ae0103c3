import { limits } from '../../limits.ts';
import { type Clock, systemClock } from '../../port/clock.ts';
import type { Sealer } from '../../port/sealer.ts';
import type { Signer } from '../../port/signer.ts';
import { type VaultConfig, vaultConfigProblems } from './config.ts';
import { type VaultCall, connectVault } from './connection.ts';
import { namesInvalidToken } from './failure.ts';
import { logIn, renew } from './login.ts';
import type { Ask } from './opened.ts';
import { vaultSealer } from './sealer.ts';
import { VaultSession } from './session.ts';
import { vaultSigner } from './signer.ts';

/**
 * Signs and seals with keys in the Transit engine of Vault (1.13 or newer) or OpenBao. Both parts share one login and its connections: closing either
 * ends both. Logs in in the background and goes on trying: a Vault that is away when the service starts is an `Outage` of each call
 * and of `check`, never of this function. Rejects with TypeError when the configuration cannot work; its parser should have said so.
 *
 * Least privilege (k8s/vault-policy.hcl): `update` on `{mount}/sign/pixpax-*`; `update` and `read` on `{mount}/keys/+` with the type
 * as the only parameter, not on `{mount}/keys/pixpax-*`: the star also covers `/config`, `/rotate` and `/trim` of a key; `update` on
 * `{mount}/keys/pixpax-seal`, `{mount}/encrypt/pixpax-seal` and `{mount}/decrypt/pixpax-seal`; `auth/token/lookup-self` and
 * `auth/token/renew-self`.
 */
export const openVault = async (
  config: VaultConfig,
  clock: Clock = systemClock,
): Promise<{ readonly signer: Signer; readonly sealer: Sealer }> => {
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
  const vault = {
    description: `vault at ${config.address}`,
    transitMount: config.transitMount,
    ask: askWithToken(connection.call, session),
    call: connection.call,
    close: async () => {
      connection.close();
      await session.close();
    },
  };
  return { signer: vaultSigner(vault), sealer: vaultSealer(vault) };
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
