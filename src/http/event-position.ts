import type { EventId } from '../receipt/ids.ts';
import { MAX_POSITION, eventIdAt, positionOf } from '../receipt/key-path.ts';
import type { Stream } from '../receipt/stream.ts';

/** The position of an event in a stream, or null when the stream can have no such event. */
export const positionIn = (stream: Stream, eventId: EventId): number | null => {
  const position = positionOf(eventId);
  return position >= 0 && position <= MAX_POSITION && eventIdAt(stream, position) === eventId ? position : null;
};
