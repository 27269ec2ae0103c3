import { z } from 'zod';
import { parseCollectionId, parseEventId, parseIdentityId } from '../../receipt/ids.ts';
import { type JsonObject, isJsonObject } from '../../receipt/json.ts';
import { branded } from '../branded.ts';

/** Payloads of the pixbook stream. */
export const pixbookPayloads = {
  /** `generation` is 1 more than the closed books this identity had of the collection; the book's id follows from all three. */
  PIXBOOK_CREATED: z.strictObject({
    identityId: branded(parseIdentityId),
    collectionId: branded(parseCollectionId),
    generation: z.int().min(1),
  }),
  /** The client's small state as it is, and the head it was based on (domain rule 1). */
  PIXBOOK_SAVE: z.strictObject({ state: z.custom<JsonObject>(isJsonObject), baseEventId: branded(parseEventId) }),
  PIXBOOK_CLOSED: z.strictObject({}),
} as const;

export type PixbookEventType = keyof typeof pixbookPayloads;
export type PixbookPayload<T extends PixbookEventType> = z.infer<(typeof pixbookPayloads)[T]>;

/** An event of a pixbook stream. */
export type PixbookEvent = {
  [T in PixbookEventType]: { readonly type: T; readonly payload: PixbookPayload<T> };
}[PixbookEventType];

/** Members of a payload that the server decides; what is left is what the client asked for and makes the fingerprint. */
export const pixbookDecidedMembers: { readonly [T in PixbookEventType]: readonly string[] } = {
  PIXBOOK_CREATED: ['generation'],
  PIXBOOK_SAVE: [],
  PIXBOOK_CLOSED: [],
};
