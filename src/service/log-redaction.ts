import type { Config } from '../config.ts';

const CENSORED = '[redacted]';

/** Members that hold secrets, or what somebody sent, wherever they turn up. Compared without case, hyphens and underscores. */
const SECRET_NAMES = new Set([
  ...['authorization', 'proxyauthorization', 'cookie', 'cookies', 'setcookie', 'xvaulttoken', 'xapikey', 'idtoken'],
  ...['password', 'newpassword', 'currentpassword', 'passphrase', 'pass', 'token', 'tokens', 'accesstoken', 'refreshtoken'],
  ...['sessiontoken', 'bearer', 'secret', 'secrets', 'secretid', 'clientsecret', 'secretaccesskey', 'apikey', 'privatekey'],
  ...['signature', 'seed', 'codes', 'printedcode', 'connectionstring', 'databaseurl', 'config', 'env', 'argv'],
  ...['body', 'rawbody', 'payload', 'headers', 'rawheaders', 'query', 'parameters', 'params', 'values', 'bindings'],
]);

const isSecretName = (name: string): boolean => SECRET_NAMES.has(name.replaceAll(/[-_]/g, '').toLowerCase());

/** What a line shows of one value at most. Deeper, and beyond so many, there is only more of the same. */
const DEEPEST = 6;
const MOST_ELEMENTS = 100;

/**
 * What may be logged of a value: plain data with its secret members censored, and of an error its type, message, stack, code and causes. Whatever
 * else is attached to an error (node-vault: the whole request, token included) and everything of a class (requests, answers, sockets, headers,
 * buffers) is named and not shown.
 */
export const safeToLog = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return errorToLog(value, depth);
  if (value instanceof Date) return value;
  if (depth >= DEEPEST) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, MOST_ELEMENTS).map((each) => safeToLog(each, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor.name || 'object'}]`;
  const members = Object.entries(value).slice(0, MOST_ELEMENTS);
  return Object.fromEntries(members.map(([name, each]) => [name, isSecretName(name) ? CENSORED : safeToLog(each, depth + 1)]));
};

const errorToLog = (error: Error, depth: number): Record<string, unknown> => {
  const { message, stack, cause } = error;
  const code = 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined;
  const errors = error instanceof AggregateError && depth < DEEPEST ? error.errors.slice(0, MOST_ELEMENTS) : undefined;
  return {
    ...{ type: error.name === 'Error' ? error.constructor.name : error.name, message, stack, code },
    ...(cause === undefined || depth >= DEEPEST ? {} : { cause: safeToLog(cause, depth + 1) }),
    ...(errors === undefined ? {} : { errors: errors.map((each) => safeToLog(each, depth + 1)) }),
  };
};

/** What secrets look like, in whatever text they end up: a message of a library, an address, a stack. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[^\s"'\\,]{6,}/gi, `$1 ${CENSORED}`],
  [/\bpixpax_[A-Za-z0-9]{24,}/g, CENSORED],
  [/\bhv[sbr]\.[A-Za-z0-9_-]{12,}/g, CENSORED],
  [/\becdsa-p256:[A-Za-z0-9+/=]{20,}/g, `ecdsa-p256:${CENSORED}`],
  [/(session_token|session_data)=[^\s;"\\]+/g, `$1=${CENSORED}`],
  [/:\/\/([^\s:/@"\\]*):[^\s/@"\\]+@/g, `://$1:${CENSORED}@`],
  [/\b(password|passwd|secret|token)=[^\s&;"\\]+/gi, `$1=${CENSORED}`],
  [/\bey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g, CENSORED],
];

/** Shorter ones would be found in words that are no secrets. */
const SHORTEST = 6;

/** Takes these very values, and whatever looks like a secret, out of a line of the log. */
export const lineCensor = (secrets: readonly string[]): ((line: string) => string) => {
  const spellings = secrets.filter((secret) => secret.length >= SHORTEST).flatMap(spellingsOf);
  const known = [...new Set(spellings)].sort((a, b) => b.length - a.length);
  return (line) => {
    let shown = line;
    for (const secret of known) if (shown.includes(secret)) shown = shown.replaceAll(secret, CENSORED);
    for (const [shape, instead] of SHAPES) shown = shown.replace(shape, instead);
    return shown;
  };
};

/** As it is, as JSON has it, and as an address has it. */
const spellingsOf = (secret: string): readonly string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
];

/** Every secret that the environment has told. */
export const secretsOf = ({ authSecret, codeSecret, metricsToken, database, s3, signer }: Config): readonly string[] =>
  [
    ...[authSecret, codeSecret, metricsToken, s3?.secretAccessKey],
    ...(database.kind === 'url' ? passwordsIn(database.url) : []),
    ...(signer.kind === 'vault' && signer.login.method === 'token' ? [signer.login.token] : []),
    ...(signer.kind === 'vault' && signer.login.method === 'approle' ? [signer.login.secretId] : []),
  ].filter((secret) => typeof secret === 'string');

const passwordsIn = (url: string): readonly string[] => {
  const parsed = URL.parse(url);
  const written = [parsed?.password ?? '', parsed?.searchParams.get('password') ?? ''];
  return written.flatMap((password) => [password, decoded(password)]);
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not encoded, then
  }
};
