import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { parseCookies } from 'better-call';
import { limits } from '../../limits.ts';
import { hashApiKey, isApiKey, looksLikeApiKey } from './api-key-text.ts';

/** What a request carries to say who sent it. Whether there is such a session, or such a key, is not yet known. */
export type Carried =
  | { readonly kind: 'session'; readonly token: string; readonly via: 'cookie' | 'bearer' }
  | { readonly kind: 'api-key'; readonly hash: string };

export type TokenSigning = { readonly cookieName: string; readonly secret: string };

/** What every token we ever stored looks like: better-auth makes 32 of these characters, the demo's token is checked. */
const TOKEN = new RegExp(`^[A-Za-z0-9]{${limits.sessionTokenMinChars},${limits.sessionTokenMaxChars}}$`);

export const isSessionToken = (text: string): boolean => TOKEN.test(text);

/** `token.signature`, as clients hold it: what is in the database opens nothing without the secret. */
export const signToken = (token: string, secret: string): string =>
  `${token}.${createHmac('sha256', secret).update(token, 'utf8').digest('base64')}`;

/**
 * Reads what a request carries: better-auth 1.7's bearer plugin and `getSignedCookie`, step by step, so that both always agree
 * (session-lookup.test.ts compares them). A signed bearer token takes the place of the cookie; one that is bare or wrongly signed is ignored, and
 * the cookie counts. Both are signed alike: HMAC-SHA256 over the token with the secret, standard base64. An API key, or what begins like one,
 * is an API key whatever else is sent.
 */
export const tokenReader = ({ cookieName, secret }: TokenSigning): ((headers: Headers) => Carried | null) => {
  const key = createSecretKey(Buffer.from(secret, 'utf8'));
  const isSignature = (signature: Buffer, value: string): boolean => {
    const expected = createHmac('sha256', key).update(value, 'utf8').digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  };
  const carried = (token: string | null, via: 'cookie' | 'bearer'): Carried | null =>
    token !== null && isSessionToken(token) ? { kind: 'session', token, via } : null;

  return (headers) => {
    const bearer = bearerOf(headers);
    if (bearer !== null) {
      if (looksLikeApiKey(bearer)) return isApiKey(bearer) ? { kind: 'api-key', hash: hashApiKey(bearer) } : null;
      const signed = bearer.includes('%') ? decoded(bearer) : bearer;
      if (bearer.includes('.') && isAdopted(signed, isSignature)) return carried(signedToken(signed, isSignature), 'bearer');
    }
    const cookies = headers.get('cookie');
    const value = cookies === null ? undefined : parseCookies(cookies).get(cookieName);
    return value === undefined ? null : carried(signedToken(value, isSignature), 'cookie');
  };
};

/** Whether a request is sent in the name of an API key, be it a good one or not. */
export const carriesApiKey = (headers: Headers): boolean => looksLikeApiKey(bearerOf(headers) ?? '');

type IsSignature = (signature: Buffer, value: string) => boolean;

/** The scheme is compared without case (RFC 9110 §11.1). */
const bearerOf = (headers: Headers): string | null => {
  const authorization = headers.get('authorization');
  if (authorization === null || authorization.slice(0, 7).toLowerCase() !== 'bearer ') return null;
  const token = authorization.slice(7).trim();
  return token === '' ? null : token;
};

/** The bearer plugin's own, lenient look at a signature: both base64 alphabets, anything after the padding or a second dot. */
const isAdopted = (signed: string, isSignature: IsSignature): boolean => {
  const [value = '', signature = ''] = signed.split('.');
  const digits = signature.split('=')[0] ?? '';
  const alphabet = /[-_]/.test(signature) ? /^[A-Za-z0-9_-]*$/ : /^[A-Za-z0-9+/]*$/;
  return alphabet.test(digits) && isSignature(Buffer.from(digits, 'base64'), value);
};

/** `token.signature` → token, if the signature holds: 44 characters of standard base64 after the last dot. */
const signedToken = (signed: string, isSignature: IsSignature): string | null => {
  const dot = signed.lastIndexOf('.');
  if (dot < 1) return null;
  const token = signed.slice(0, dot);
  const signature = signed.slice(dot + 1);
  return /^[A-Za-z0-9+/]{43}=$/.test(signature) && isSignature(Buffer.from(signature, 'base64'), token) ? token : null;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
