import { parseEventId } from '../../src/receipt/ids.ts';
import { positionOf } from '../../src/receipt/key-path.ts';

const EVENTS = '/events/';
const ID_CHARS = 26;
const JSON_SUFFIX = '.json';
const TAIL_CHARS = EVENTS.length + ID_CHARS + JSON_SUFFIX.length;

/** Whether a key has the form of a receipt's in the stream of this prefix. */
export const isEventIn = (prefix: string, key: string): boolean =>
  key.length === prefix.length + TAIL_CHARS &&
  key.startsWith(EVENTS, prefix.length) &&
  key.endsWith(JSON_SUFFIX) &&
  key.startsWith(prefix);

/** The part of a key before `/events/`, if it has the form of a receipt's. */
export const prefixInKey = (key: string): string => key.slice(0, -TAIL_CHARS);

/** The event id in a key that `isEventIn` was true of. */
export const idInKey = (key: string): string => key.slice(-(ID_CHARS + JSON_SUFFIX.length), -JSON_SUFFIX.length);

/** The position that a key of a stream claims; -1 for any other key. */
export const positionInKey = (prefix: string, key: string): number => {
  if (!isEventIn(prefix, key)) return -1;
  const eventId = parseEventId(idInKey(key));
  return eventId.ok ? positionOf(eventId.value) : -1;
};

/** In every receipt the id begins at the same byte: `{"createdAt":"…","eventId":"` comes before it. */
const ID_AT = 51;

/** Whether the bytes of a receipt say that they have the event id in this key. Byte by byte: a text would cost more than all the rest. */
export const saysIdIn = (key: string, bytes: Uint8Array): boolean => {
  const start = key.length - ID_CHARS - JSON_SUFFIX.length;
  for (let i = 0; i < ID_CHARS; i++) if (bytes[ID_AT + i] !== key.charCodeAt(start + i)) return false;
  return true;
};
