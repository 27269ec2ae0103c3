import { type KeyObject, createHmac, createSecretKey } from 'node:crypto';
import { limits } from '../../limits.ts';
import { type CodeId, crockford, crockfordOfHex } from '../../receipt/ids.ts';
import { type Result, err, ok } from '../../result.ts';

declare const secret: unique symbol;
/**
 * What is printed on a card: 12 Crockford characters, 60 bits. Whoever knows it may claim its pack, so it must never be logged, nor be in a
 * receipt, a URL, a table, an error or a trace: what names it there is its `codeId`. It is shown once, when it is made.
 */
export type Code = string & { readonly [secret]: 'Code' };

/** The two keys of codes. Key objects: printed or made JSON of, they show nothing. */
export type CodeKey = { readonly making: KeyObject; readonly naming: KeyObject };

/**
 * The keys of codes, from the one secret (at least `limits.codeSecretMinBytes` random bytes): HMAC-SHA256(secret, label), a label for each,
 * so that no name of a code can ever be another code. With another secret no code that is printed can be claimed any more. Throws
 * RangeError when the secret is too short.
 */
export const codeKeyOf = (secretBytes: Uint8Array): CodeKey => {
  if (secretBytes.length < limits.codeSecretMinBytes)
    throw new RangeError(`the secret of codes has at least ${limits.codeSecretMinBytes} bytes`);
  const derived = (label: string) => createSecretKey(createHmac('sha256', secretBytes).update(label).digest());
  return { making: derived('pixpax/code-making-key/v1'), naming: derived('pixpax/code-naming-key/v1') };
};

/** 60 bits as hex. */
const CODE_HEX_CHARS = 15;

/**
 * The code at an index (from 0) of a batch: the first 60 bits of HMAC-SHA256(making key, 'pixpax/code/v1' NUL batchId NUL index), most
 * significant first. A batch that is resumed, or shown at its end, makes the same codes again and nothing needs to be stored. `batchId` must
 * name one batch for ever (another that had the same would print the same codes) and hold no NUL.
 */
export const newCode = (key: CodeKey, batchId: string, index: number): Code =>
  crockfordOfHex(
    createHmac('sha256', key.making).update(`pixpax/code/v1\0${batchId}\0${index}`).digest('hex').slice(0, CODE_HEX_CHARS),
  ) as Code;

/** The name of a code: `cod_` and the first 16 bytes of HMAC-SHA256(naming key, 'pixpax/code-id/v1' NUL code). It does not tell the code. */
export const codeIdOf = (key: CodeKey, code: Code): CodeId =>
  `cod_${crockford(createHmac('sha256', key.naming).update(`pixpax/code-id/v1\0${code}`).digest().subarray(0, 16), 26)}` as CodeId;

/** A text that is no code. It is not quoted: it may be a code but for one character. */
export type MalformedCode = { readonly code: 'malformed-code'; readonly expected: string };

const MALFORMED: MalformedCode = { code: 'malformed-code', expected: '12 digits and letters, of the letters all but U' };

/**
 * The code that a person typed: hyphens and white space are dropped, small letters are capital ones, O is 0, and I and L are 1, as nobody
 * can tell them apart in print (Crockford's base32). Errors: `malformed-code` unless 12 characters of its alphabet are left.
 */
export const parseCode = (text: unknown): Result<Code, MalformedCode> => {
  if (typeof text !== 'string' || text.length > limits.typedCodeChars) return err(MALFORMED);
  const typed = text.replace(/[\s-]/g, '');
  if (!/^[0-9A-TV-Z]{12}$/i.test(typed)) return err(MALFORMED);
  return ok(typed.toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1') as Code);
};

/** The code as it is printed: groups of four characters with hyphens between. */
export const codeShown = (code: Code): string => [code.slice(0, 4), code.slice(4, 8), code.slice(8)].join('-');
