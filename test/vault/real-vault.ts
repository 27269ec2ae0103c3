import { vaultDefaults } from '../../src/adapter/vault/config.ts';

/** A real Vault or OpenBao as the environment has it: VAULT_ADDR, VAULT_TOKEN, VAULT_TRANSIT_MOUNT, VAULT_NAMESPACE. */
const { VAULT_ADDR: address = '', VAULT_TOKEN: token = '', VAULT_NAMESPACE: namespace = null } = process.env;
const transitMount = process.env.VAULT_TRANSIT_MOUNT ?? vaultDefaults.transitMount;

export const realVault = { address, token, namespace, transitMount, isGiven: address !== '' && token !== '' };

export type Json = Readonly<Record<string, unknown>>;
export type RawAnswer = { readonly status: number; readonly body: Json };

/** Calls a Vault past the adapter, for what operators do. `token` null: without one. */
export const callRaw = async (
  at: { readonly address: string; readonly namespace: string | null },
  token: string | null,
  method: string,
  path: string,
  body?: Json,
): Promise<RawAnswer> => {
  const headers: Record<string, string> = {};
  if (token !== null) headers['X-Vault-Token'] = token;
  if (at.namespace !== null) headers['X-Vault-Namespace'] = at.namespace;
  const answer = await fetch(`${at.address}/v1/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
};

/** Calls the real Vault with its own token. */
export const callReal = (method: string, path: string, body?: Json): Promise<RawAnswer> =>
  callRaw(realVault, realVault.token, method, path, body);

/** Whether the token may mount, write policies and clean up. */
export const mayAdminister = async (): Promise<boolean> => {
  if (!realVault.isGiven) return false;
  const { body } = await callReal('POST', 'sys/capabilities-self', { paths: ['sys/auth/x'] });
  return /root|sudo/.test(JSON.stringify(body['sys/auth/x']));
};

/** Deletes the keys whose names begin so, as far as the token may. */
export const removeKeys = async (beginning: string): Promise<void> => {
  const { body } = await callReal('LIST', `${transitMount}/keys`);
  const { keys = [] } = (body.data ?? {}) as { readonly keys?: readonly string[] };
  for (const key of keys.filter((name) => name.startsWith(beginning))) {
    await callReal('POST', `${transitMount}/keys/${key}/config`, { deletion_allowed: true });
    await callReal('DELETE', `${transitMount}/keys/${key}`);
  }
};
