import { readFile } from 'node:fs/promises';
import type { VaultConfig } from '../../src/adapter/vault/config.ts';
import { type Json, type RawAnswer, callReal, realVault } from './real-vault.ts';

/** Our policy in the real Vault, and ways in that have no other. */
export type PolicyRoom = {
  /** A new AppRole and the login for it. `terms` are Vault's own. */
  readonly appRole: (role: string, terms: object) => Promise<VaultConfig>;
  /** A token that lives a minute. */
  readonly token: () => Promise<string>;
  readonly close: () => Promise<void>;
};

const { address, namespace, transitMount } = realVault;
const dataOf = ({ body }: RawAnswer): Json => body.data as Json;

/** Writes k8s/vault-policy.hcl as the policy `name`, and mounts AppRole at `name`: for a token that may administer. */
export const openPolicyRoom = async (name: string): Promise<PolicyRoom> => {
  const policy = await readFile(new URL('../../k8s/vault-policy.hcl', import.meta.url), 'utf8');
  await callReal('POST', `sys/policies/acl/${name}`, { policy: policy.replaceAll('"transit/', `"${transitMount}/`) });
  await callReal('POST', `sys/auth/${name}`, { type: 'approle' });
  return {
    appRole: async (role, terms) => {
      const path = `auth/${name}/role/${role}`;
      await callReal('POST', path, { token_policies: [name], token_no_default_policy: true, ...terms });
      const id = dataOf(await callReal('GET', `${path}/role-id`));
      const secret = dataOf(await callReal('POST', `${path}/secret-id`, {}));
      const ids = { roleId: String(id.role_id), secretId: String(secret.secret_id) };
      return { address, transitMount, namespace, caPem: null, login: { method: 'approle', mountPath: name, ...ids } };
    },
    token: async () => {
      const { body } = await callReal('POST', 'auth/token/create', { policies: [name], ttl: '1m', no_default_policy: true });
      return String((body.auth as Json).client_token);
    },
    close: async () => {
      await callReal('DELETE', `sys/auth/${name}`);
      await callReal('DELETE', `sys/policies/acl/${name}`);
    },
  };
};
