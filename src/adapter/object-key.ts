import { limits } from '../limits.ts';

/** What may ever be discarded: scratch objects of the start-up qualification, and segments, which are made of receipts and never truth. */
const DISCARDABLE_ROOTS = ['qualification/', 'segments/'];

/** The file store's own corner; reserved on every store so that a ledger can move between them. */
const RESERVED_SEGMENT = '.tmp';

/**
 * Refuses keys that some store could not hold, or that would leave a file store's directory: empty, `.` or `..` segments (so also
 * absolute keys), NUL, backslash, lone surrogates, a first segment `.tmp`, more than `limits.objectKeyBytes` in all or
 * `limits.objectKeySegmentBytes` in a segment. Keys are computed, never taken from a client, so this is a bug: TypeError.
 */
export const requireKey = (key: string): void => {
  const fault = faultOf(key);
  if (fault !== null) throw new TypeError(`not an object key (${fault}): ${JSON.stringify(key.slice(0, 200))}`);
};

/**
 * As `requireKey`, for `discard`: also TypeError for anything but scratch objects and segments, so that no code path can remove a
 * receipt.
 */
export const requireDiscardableKey = (key: string): void => {
  requireKey(key);
  if (!DISCARDABLE_ROOTS.some((root) => key.startsWith(root)))
    throw new TypeError(`only keys under ${DISCARDABLE_ROOTS.join(' and ')} may be discarded: ${JSON.stringify(key)}`);
};

/** Refuses a page size that S3 would silently change. TypeError. */
export const requirePageLimit = (limit: number): void => {
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.listPageKeys)
    throw new TypeError(`a page has 1 to ${limits.listPageKeys} keys, not ${limit}`);
};

const faultOf = (key: string): string | null => {
  if (key.includes('\0') || key.includes('\\')) return 'NUL or backslash';
  if (!key.isWellFormed()) return 'lone surrogate';
  if (Buffer.byteLength(key) > limits.objectKeyBytes) return `over ${limits.objectKeyBytes} bytes`;
  const segments = key.split('/');
  if (segments[0] === RESERVED_SEGMENT) return `${RESERVED_SEGMENT} is reserved`;
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..') return 'empty, "." or ".." segment';
    if (Buffer.byteLength(segment) > limits.objectKeySegmentBytes) return `segment over ${limits.objectKeySegmentBytes} bytes`;
  }
  return null;
};
