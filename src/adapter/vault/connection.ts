import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import createVault from 'node-vault';
import { limits } from '../../limits.ts';
import { type Clock, withDeadline } from '../../port/clock.ts';
import { type Result, err, ok } from '../../result.ts';
import { unavailable } from '../signer-outage.ts';
import { at } from './answer.ts';
import type { VaultConfig } from './config.ts';
import { type VaultRefusal, reasonsIn } from './failure.ts';
import { lostAnswerCode, outageOfLostAnswer } from './lost-answer.ts';

/** One call to Vault's HTTP API. */
export type VaultRequest = {
  /** What is asked for, in words: how errors begin. */
  readonly what: string;
  readonly method: 'GET' | 'POST';
  /** After `/v1/`, made of checked parts. */
  readonly path: string;
  readonly token: string | null;
  readonly body?: { readonly [member: string]: unknown };
  /** What must not come back in an error text, besides the token. */
  readonly secrets?: readonly string[];
  /** `sys/health` is served in the root namespace only. */
  readonly rootNamespace?: true;
};

/** Calls Vault: the answer's body, or its refusal. Throws `Outage` when there is no answer within `limits.signTimeoutMs`. */
export type VaultCall = (request: VaultRequest) => Promise<Result<unknown, VaultRefusal>>;

/** Connections to one Vault, without any knowledge of logins. After `close` calls throw `Outage`. */
export type VaultConnection = { readonly call: VaultCall; readonly close: () => void };

/** Opens nothing yet: sockets come with the first call. */
export const connectVault = (config: VaultConfig, clock: Clock): VaultConnection => {
  const pool = { keepAlive: true, maxSockets: limits.vaultSockets, timeout: limits.vaultIdleSocketMs };
  const httpAgent = new HttpAgent(pool);
  const httpsAgent = new HttpsAgent(config.caPem === null ? pool : { ...pool, ca: config.caPem });
  const send = sender(config, { httpAgent, httpsAgent });
  let closed = false;

  /** A string is the code of a failure to get an answer. */
  const attempt = async (request: VaultRequest): Promise<Result<unknown, VaultRefusal | string>> => {
    if (closed) throw unavailable('the connection to Vault was closed');
    try {
      // The sender's own time-out ends a silent socket; this one also bounds an answer that trickles.
      return ok(await withDeadline(clock, 'signer', limits.signTimeoutMs, () => send(request)));
    } catch (error) {
      // Nothing of `error` may leave this function: it holds the request, and with it the token.
      return err(refusalIn(error, [...(request.secrets ?? []), request.token ?? '']) ?? lostAnswerCode(error));
    }
  };

  const call: VaultCall = async (request) => {
    let answer = await attempt(request);
    // A kept connection may be cut just when it is used again. What we ask with a token has no effect that counts twice; a login has,
    // since a secret id may be good for one use only.
    if (!answer.ok && answer.error === 'ECONNRESET' && request.token !== null) answer = await attempt(request);
    if (answer.ok) return answer;
    if (typeof answer.error === 'string') throw outageOfLostAnswer(request.what, config.address, answer.error);
    return err(answer.error);
  };

  const close = (): void => {
    closed = true;
    httpAgent.destroy();
    httpsAgent.destroy();
  };
  return { call, close };
};

type Agents = { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent };

const sender = (config: VaultConfig, agents: Agents): ((request: VaultRequest) => Promise<unknown>) => {
  // Silent: with DEBUG set, node-vault would print request bodies, logins among them.
  const vault = createVault({ endpoint: config.address, debug: () => undefined });
  // node-vault reads these from the environment when they are not given; here the configuration alone decides.
  Object.assign(vault, { token: '', namespace: '', pathPrefix: '' });
  return async ({ body, method, path, rootNamespace, token }) => {
    const headers: Record<string, string> = {};
    if (token !== null) headers['X-Vault-Token'] = token;
    if (config.namespace !== null && rootNamespace !== true) headers['X-Vault-Namespace'] = config.namespace;
    const options = { method, path: `/${path}`, headers, timeout: limits.signTimeoutMs, ...agents };
    const answer: unknown = await vault.request(body === undefined ? options : { ...options, json: body });
    return answer;
  };
};

/** node-vault throws `{response: {statusCode, body}}` for any status but 200 and 204. */
const refusalIn = (error: unknown, secrets: readonly string[]): VaultRefusal | null => {
  const statusCode = at(error, 'response', 'statusCode');
  return typeof statusCode === 'number' ? { statusCode, reasons: reasonsIn(at(error, 'response', 'body'), secrets) } : null;
};
