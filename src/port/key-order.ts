const SURROGATE = /[\uD800-\uDFFF]/;

/**
 * Orders two object keys as every store must: by their UTF-8 bytes (S3 ListObjectsV2). Negative, zero or positive. JavaScript's
 * own `<` orders by UTF-16 units, which is the same until a character beyond U+FFFF meets one in U+E000…U+FFFF.
 */
export const compareKeys = (a: string, b: string): number => {
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
};
