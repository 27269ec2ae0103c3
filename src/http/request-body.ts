import type { z } from 'zod';
import { limits } from '../limits.ts';
import type { Json } from '../receipt/json.ts';
import { type Result, err, ok } from '../result.ts';
import { parseIJson } from './i-json.ts';
import type { BytesBody, BytesRule } from './operation.ts';
import { type InputFault, type Problem, invalid } from './problem.ts';

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

const tooLarge = (maxBytes: number): Problem => ({ code: 'body-too-large', detail: `this body has at most ${maxBytes} bytes` });
const encoded: Problem = {
  code: 'unsupported-media-type',
  detail: 'the body is compressed',
  headers: { 'Accept-Encoding': 'identity' },
};

const isEncoded = (headers: Headers): boolean => {
  const encoding = headers.get('content-encoding');
  return encoding !== null && encoding !== 'identity';
};
const cutShort: Problem = { code: 'malformed-request', detail: 'the body did not arrive whole' };

/** What a member of a body becomes in a receipt is one level deeper there, and receipts are read to `limits.jsonDepth`. */
const BODY_DEPTH = limits.jsonDepth - 1;

/**
 * The body as JSON, or null when there is none. Bounded while it arrives: a declared length is believed and enforced by the HTTP parser, and
 * one that is not declared is counted.
 */
export const readJsonBody = async (request: Request): Promise<Result<Json | null, Problem>> => {
  const bytes = await readBytes(request);
  if (!bytes.ok) return bytes;
  if (bytes.value.length === 0) return ok(null);
  const { headers } = request;
  const contentType = headers.get('content-type');
  if (contentType === null || !JSON_TYPE.test(contentType))
    return err({ code: 'unsupported-media-type', detail: 'the body is not declared as application/json' });
  if (isEncoded(headers)) return err(encoded);
  const parsed = parseIJson(bytes.value, BODY_DEPTH);
  if (parsed.ok) return parsed;
  const { code, pointer, detail } = parsed.error;
  return err({ code: 'invalid-json', detail, errors: [{ in: 'body', pointer, code, detail }] });
};

/** A body that is not JSON. Content codings are not taken: nothing would bound what they unfold to. */
export const readBytesBody = async (
  request: Request,
  { mediaTypes, maxBytes }: BytesRule,
): Promise<Result<BytesBody, Problem>> => {
  const { headers } = request;
  const mediaType = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!mediaTypes.includes(mediaType))
    return err({ code: 'unsupported-media-type', detail: `the body is not declared as ${mediaTypes.join(' or ')}` });
  if (isEncoded(headers)) return err(encoded);
  const bytes = await readBytes(request, maxBytes);
  return bytes.ok ? ok({ mediaType, bytes: bytes.value }) : bytes;
};

/** The bytes of a body, at most `limits.requestBodyBytes` or what is said. */
export const readBytes = async (
  request: Request,
  maxBytes: number = limits.requestBodyBytes,
): Promise<Result<Uint8Array<ArrayBuffer>, Problem>> => {
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > maxBytes) return err(tooLarge(maxBytes));
  try {
    if (request.headers.has('transfer-encoding')) return await readChunks(request, maxBytes);
    const bytes = new Uint8Array(await request.arrayBuffer());
    return bytes.length > maxBytes ? err(tooLarge(maxBytes)) : ok(bytes);
  } catch {
    return err(cutShort); // the client is gone, or sent less than it declared
  }
};

const readChunks = async ({ body }: Request, maxBytes: number): Promise<Result<Uint8Array<ArrayBuffer>, Problem>> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) return err(tooLarge(maxBytes));
    chunks.push(chunk);
  }
  return ok(new Uint8Array(Buffer.concat(chunks)));
};

/** Checks a value against a schema; what is wrong is named by pointers into that part of the request. */
export const checked = <T>(schema: z.ZodType<T>, value: unknown, part: InputFault['in']): Result<T, Problem> => {
  const parsed = schema.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(invalid(...parsed.error.issues.flatMap((issue) => faultsOf(issue, value, part))));
};

/** At most this many are listed: the client has something to begin with, and a hostile body costs no more than itself. */
const LISTED_FAULTS = 20;

const faultsOf = (issue: z.core.$ZodIssue, value: unknown, part: InputFault['in']): InputFault[] => {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, LISTED_FAULTS).map((key) => ({
      in: part,
      pointer: pointerTo([...path, key]),
      code: 'unknown-member',
      detail: 'this member is not known here',
    }));
  const fault = isThere(value, issue.path)
    ? { code: 'invalid', detail: issue.message }
    : { code: 'missing', detail: 'this member is missing' };
  return [{ in: part, pointer: pointerTo(path), ...fault }];
};

const isThere = (value: unknown, path: readonly PropertyKey[]): boolean => {
  let inner = value;
  for (const name of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, name)) return false;
    inner = (inner as Record<PropertyKey, unknown>)[name];
  }
  return true;
};

const pointerTo = (path: readonly string[]): string =>
  path.map((name) => `/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
