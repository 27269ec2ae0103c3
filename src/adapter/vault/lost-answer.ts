import { limits } from '../../limits.ts';
import { Outage } from '../../port/outage.ts';
import { refused, unavailable } from '../signer-outage.ts';
import { at } from './answer.ts';

const TIMEOUTS: ReadonlySet<string> = new Set(['ECONNABORTED', 'ETIMEDOUT', 'deadline-exceeded']);
const CUTS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** The code of a failure to get an answer: of the socket, of TLS or of a deadline; `ECONNRESET` for a connection that was cut. */
export const lostAnswerCode = (error: unknown): string => {
  if (error instanceof Outage) return error.code;
  const code = at(error, 'code');
  if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return 'no reason given';
  if (CUTS.has(code)) return 'ECONNRESET';
  return code;
};

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there: start Vault or correct VAULT_ADDR'],
  ['ENOTFOUND', 'there is no such host: correct VAULT_ADDR'],
  ['EAI_AGAIN', 'the name service does not answer'],
  ['ECONNRESET', 'the connection was cut: is Vault restarting, or is there a balancer that cuts?'],
  ['EHOSTUNREACH', 'there is no way to that host'],
  ['ENETUNREACH', 'there is no way to that network'],
]);

/** OpenSSL's words for a certificate that is not trusted, and for a server that does not speak TLS. */
const TLS = /CERT|ISSUER|SIGNATURE|^EPROTO$|^ERR_(?:TLS|SSL|OSSL)/;

/** The outage for a call that got no answer. */
export const outageOfLostAnswer = (what: string, address: string, code: string): Outage => {
  const where = `${what}: no answer from Vault at ${address}`;
  if (TIMEOUTS.has(code)) {
    return unavailable(`${where} within ${limits.signTimeoutMs} ms: is it overloaded, or does a firewall drop packets?`);
  }
  if (TLS.test(code))
    return refused(`${where} (${code}): its certificate is not trusted, or it does not speak TLS: see VAULT_CACERT_PEM`);
  const remedy = REMEDIES.get(code);
  return unavailable(remedy === undefined ? `${where} (${code})` : `${where} (${code}): ${remedy}`);
};
