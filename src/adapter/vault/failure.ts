import { limits } from '../../limits.ts';
import type { Outage } from '../../port/outage.ts';
import { refused, unavailable } from '../signer-outage.ts';
import { at } from './answer.ts';

/** Vault answered with a status that is no success. `reasons` is what it said, fit to be shown: short, one line, no secrets. */
export type VaultRefusal = { readonly statusCode: number; readonly reasons: string };

/** What Vault says of a token that is expired, revoked or made up; up to 1.11 it said no more than "permission denied". */
export const namesInvalidToken = (refusal: VaultRefusal): boolean => /\b(?:invalid|bad) token\b/i.test(refusal.reasons);

/** Statuses that may pass by themselves or by the work of Vault's operator; any other will be the same next time. */
const PASSING: ReadonlyMap<number, string> = new Map([
  [412, 'this node has not yet seen what another one wrote'],
  [429, 'Vault asks to slow down, or this is a standby that does not forward: look at its rate-limit quotas and its leader'],
  [472, 'this is a disaster-recovery secondary: point VAULT_ADDR at the primary'],
  [473, 'this is a performance standby that does not forward: point VAULT_ADDR at the active node'],
  [500, 'Vault failed inside: look at its log'],
  [502, 'the proxy before Vault gets no answer from it'],
  [504, 'the proxy before Vault gets no answer from it in time'],
]);

const LASTING: ReadonlyMap<number, string> = new Map([
  [403, 'the token has ended or its policy does not allow this: compare it with k8s/vault-policy.hcl'],
  [404, 'there is nothing at this path: is the engine mounted there, and is this the right namespace?'],
  [405, 'this path does not do that: is the mount a Transit engine?'],
]);

/** A refusal as an outage. `what` names what was asked for, for people: `signing with pixpax-…`. */
export const outageOf = (what: string, refusal: VaultRefusal): Outage => {
  const { reasons, statusCode } = refusal;
  const said = `${what}: Vault answered ${statusCode}${reasons === '' ? '' : ` (${reasons})`}`;
  const passing = statusCode === 503 ? hintOf503(reasons) : PASSING.get(statusCode);
  if (passing !== undefined) return unavailable(`${said}: ${passing}`);
  if (statusCode >= 500) return unavailable(said);
  const lasting = LASTING.get(statusCode);
  return refused(lasting === undefined ? said : `${said}: ${lasting}`);
};

const hintOf503 = (reasons: string): string =>
  /sealed/i.test(reasons) ? 'unseal it (vault operator unseal)' : 'it is sealed, overloaded or without a leader: look at its log';

/** What `sys/health` says against signing, or null when it says nothing against it. */
export const outageOfHealth = (health: unknown): Outage | null => {
  const sealed = at(health, 'sealed');
  if (typeof sealed !== 'boolean') {
    return unavailable('sys/health: what answers is not Vault: is VAULT_ADDR right, and is there a proxy before it?');
  }
  if (at(health, 'initialized') === false) return unavailable('Vault is not initialised: type vault operator init');
  if (sealed) return unavailable('Vault is sealed: unseal it (vault operator unseal)');
  return null;
};

/** The words of an error body `{"errors": […]}`, or nothing when it has another form: a proxy's page is not worth quoting. */
export const reasonsIn = (body: unknown, secrets: readonly string[]): string => {
  const errors = at(body, 'errors');
  if (!Array.isArray(errors)) return '';
  const text = errors.filter((error) => typeof error === 'string').join('; ');
  return shown(text, secrets);
};

/** Text from outside, fit to be shown: no secret, no control characters, one line, bounded. */
export const shown = (text: string, secrets: readonly string[]): string => {
  const without = secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '[redacted]')), text);
  return without
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, limits.vaultReasonChars);
};

/** An answer with a success status that is not what the documentation promises. */
export const malformed = (what: string, expected: string): Outage =>
  unavailable(
    `${what}: Vault's answer is not understood (${expected} expected): is there a proxy before it that changes answers?`,
  );
