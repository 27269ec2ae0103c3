/** The kinds of picture that a card may have. */
export const artTypes = ['image/svg+xml', 'image/png', 'image/jpeg', 'image/webp'] as const;
export type ArtType = (typeof artTypes)[number];

/** What a picture of each kind begins with: byte signatures, and for SVG its first tag or the XML declaration. */
const beginnings: readonly (readonly [type: ArtType, beginning: Buffer, at: number])[] = [
  ['image/png', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 0],
  ['image/jpeg', Buffer.from('\xff\xd8\xff', 'latin1'), 0],
  ['image/webp', Buffer.from('WEBP'), 8],
  ['image/svg+xml', Buffer.from('<svg'), 0],
  ['image/svg+xml', Buffer.from('<?xml'), 0],
];

/** The kind of a picture by its first bytes, or null. Browsers are told this and nothing else, so what it is not is never run as that. */
export const artTypeOf = (bytes: Uint8Array): ArtType | null => {
  const found = beginnings.find(([, beginning, at]) => beginning.equals(bytes.subarray(at, at + beginning.length)));
  return found?.[0] ?? null;
};
