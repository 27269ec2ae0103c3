import { readFile } from 'node:fs/promises';
import type { Outage } from '../../port/outage.ts';
import { refused } from '../signer-outage.ts';
import { at } from './answer.ts';
import type { VaultLogin } from './config.ts';
import type { VaultCall } from './connection.ts';
import { type VaultRefusal, malformed, namesInvalidToken, outageOf } from './failure.ts';

/** A token as Vault granted it. */
export type Grant = {
  readonly token: string;
  /** Whether its life can be lengthened. */
  readonly renewable: boolean;
  /** How long it lives from now; null when it does not end. */
  readonly leaseMs: number | null;
};

type LoginOf<Method extends VaultLogin['method']> = Extract<VaultLogin, { method: Method }>;

/** Logs in by the method configured. Throws `Outage`. */
export const logIn = (call: VaultCall, login: VaultLogin): Promise<Grant> => {
  switch (login.method) {
    case 'token':
      return inspectToken(call, login);
    case 'approle':
      return logInWithAppRole(call, login);
    case 'kubernetes':
      return logInWithKubernetes(call, login);
  }
};

/** A given token: asks how long it lives. One whose policy keeps that secret is used as it is. */
const inspectToken = async (call: VaultCall, { token }: LoginOf<'token'>): Promise<Grant> => {
  const what = 'the token given';
  const answer = await call({ what, method: 'GET', path: 'auth/token/lookup-self', token });
  if (answer.ok) {
    const seconds = at(answer.value, 'data', 'ttl');
    if (typeof seconds !== 'number') throw malformed(what, 'data.ttl');
    return { token, renewable: at(answer.value, 'data', 'renewable') === true, leaseMs: leaseOf(seconds) };
  }
  if (answer.error.statusCode === 403 && !namesInvalidToken(answer.error)) return { token, renewable: false, leaseMs: null };
  throw outageOf(what, answer.error);
};

const APPROLE_QUESTION =
  'is the role id right, the secret id neither expired nor used up, the role not locked (sys/locked-users), the method enabled there?';

const logInWithAppRole = async (call: VaultCall, { mountPath, roleId, secretId }: LoginOf<'approle'>): Promise<Grant> => {
  const what = `AppRole login at ${mountPath}`;
  const body = { role_id: roleId, secret_id: secretId };
  const path = `auth/${mountPath}/login`;
  const answer = await call({ what, method: 'POST', path, token: null, body, secrets: [roleId, secretId] });
  if (!answer.ok) throw loginOutage(what, answer.error, APPROLE_QUESTION);
  return grantIn(what, answer.value);
};

const KUBERNETES_QUESTION =
  'is this service account bound to that role, in this Kubernetes namespace, and the method enabled there?';

const logInWithKubernetes = async (call: VaultCall, { jwtFile, mountPath, role }: LoginOf<'kubernetes'>): Promise<Grant> => {
  const what = `Kubernetes login at ${mountPath} as ${role}`;
  const jwt = await readJwt(jwtFile);
  const path = `auth/${mountPath}/login`;
  const answer = await call({ what, method: 'POST', path, token: null, body: { role, jwt }, secrets: [jwt] });
  if (!answer.ok) throw loginOutage(what, answer.error, KUBERNETES_QUESTION);
  return grantIn(what, answer.value);
};

const readJwt = async (path: string): Promise<string> => {
  const jwt = await readFile(path, 'utf8').catch(() => '');
  if (jwt.trim() !== '') return jwt.trim();
  throw refused(`there is no service-account token in ${path}: is automountServiceAccountToken on?`);
};

/** Lengthens the life of a token. Null when Vault will not: then it has to be another token. Throws `Outage` when it may work later. */
export const renew = async (call: VaultCall, token: string): Promise<Grant | null> => {
  const what = 'renewing the token';
  const answer = await call({ what, method: 'POST', path: 'auth/token/renew-self', token, body: {} });
  if (answer.ok) return grantIn(what, answer.value);
  const outage = outageOf(what, answer.error);
  if (outage.code === 'signer-refused') return null;
  throw outage;
};

const loginOutage = (what: string, refusal: VaultRefusal, question: string): Outage => {
  // AppRole says 400 for a wrong secret, Kubernetes 400 for a wrong role and 403 for a wrong account.
  if (refusal.statusCode !== 400 && refusal.statusCode !== 403) return outageOf(what, refusal);
  return refused(`${what}: Vault answered ${refusal.statusCode} (${refusal.reasons}): ${question}`);
};

const grantIn = (what: string, body: unknown): Grant => {
  const token = at(body, 'auth', 'client_token');
  const seconds = at(body, 'auth', 'lease_duration');
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw malformed(what, 'auth.client_token');
  if (typeof seconds !== 'number' || !(seconds >= 0)) throw malformed(what, 'auth.lease_duration');
  return { token, renewable: at(body, 'auth', 'renewable') === true, leaseMs: leaseOf(seconds) };
};

/** Vault says 0 of a token that does not end. */
const leaseOf = (seconds: number): number | null => (seconds <= 0 ? null : seconds * 1_000);
