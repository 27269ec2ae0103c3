import type { CollectionId, EventId, IdentityId } from '../../receipt/ids.ts';
import type { JsonObject } from '../../receipt/json.ts';

/** What may be asked of a pixbook. */
export type PixbookCommand =
  | {
      readonly type: 'create-pixbook';
      readonly identityId: IdentityId;
      readonly collectionId: CollectionId;
      readonly generation: number;
    }
  | { readonly type: 'save'; readonly state: JsonObject; readonly baseEventId: EventId }
  | { readonly type: 'close' };
