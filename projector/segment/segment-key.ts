import { hash } from 'node:crypto';

/** Segments are derived objects: they lie outside the ledger's root, and no walk over receipts meets them. */
export const INDEX_ROOT = 'segments/index/';
export const DATA_ROOT = 'segments/data/';

/** 64 lower-case hex of SHA-256: what names the two objects of a segment. */
export const segmentNameOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

/** The object key of an index: `segments/index/` and the name of its bytes. */
export const indexKeyOf = (name: string): string => `${INDEX_ROOT}${name}.json`;

/** The object key of the receipts: `segments/data/` and the name of its bytes. */
export const dataKeyOf = (name: string): string => `${DATA_ROOT}${name}.zst`;

const NAME = /^[0-9a-f]{64}$/;

/** Whether a text is the name of an object of a segment. */
export const isSegmentName = (text: unknown): text is string => typeof text === 'string' && NAME.test(text);

/** The name in the key of an index; null for any other key. */
export const nameInIndexKey = (key: string): string | null => {
  const name = key.slice(INDEX_ROOT.length, -'.json'.length);
  return isSegmentName(name) && indexKeyOf(name) === key ? name : null;
};
