import type { CommandContext } from '../command/ledger-commands.ts';
import { type ReceiptHash, type UserId, parseIdempotencyKey, parseReceiptHash } from '../receipt/ids.ts';
import { type Result, err, ok } from '../result.ts';
import type { Problem } from './problem.ts';

/**
 * Who commands, under which key, and on which head: `Idempotency-Key` is required, `If-Match` is one strong ETag as this service gave it,
 * or `*` for any.
 */
export const commandContextOf = (userId: UserId, headers: Headers): Result<CommandContext, Problem> => {
  const keyField = headers.get('idempotency-key');
  if (keyField === null || keyField === '')
    return err({ code: 'idempotency-key-missing', detail: 'a command needs an Idempotency-Key' });
  const idempotencyKey = parseIdempotencyKey(keyField);
  if (!idempotencyKey.ok)
    return err({ code: 'idempotency-key-malformed', detail: `Idempotency-Key is not ${idempotencyKey.error.expected}` });
  const ifMatch = parseIfMatch(headers.get('if-match'));
  return ifMatch.ok ? ok({ userId, idempotencyKey: idempotencyKey.value, ifMatch: ifMatch.value }) : ifMatch;
};

const parseIfMatch = (field: string | null): Result<ReceiptHash | null, Problem> => {
  if (field === null || field.trim() === '*') return ok(null);
  const quoted = /^\s*"([^"]*)"\s*$/.exec(field);
  const hash = parseReceiptHash(quoted?.[1]);
  return hash.ok ? ok(hash.value) : err({ code: 'if-match-malformed', detail: 'If-Match is not one ETag such as "sha256:…"' });
};
