import type {
  BookId,
  CardId,
  CodeId,
  CollectionId,
  DropId,
  IdentityId,
  InstanceId,
  PackId,
  SeriesId,
  TradeId,
  UserId,
} from '../../src/receipt/ids.ts';
import type { Want } from '../../src/stream/pixbook/event.ts';

/** The receipt before which the service may fail in the middle of a command. */
export type Interruption = 'CARD_TRADE_ACCEPTED' | 'CARD_TRADE_SETTLED' | 'CARD_TRADE_RELEASED' | 'PACK_ISSUED';

type Asked = { readonly userId: UserId; readonly key: string; readonly interruption: Interruption | null };

/** A command as the reckoning and the ledger are both told it. */
export type Command = Asked &
  (
    | { readonly verb: 'create-book'; readonly identityId: IdentityId; readonly collectionId: CollectionId }
    | { readonly verb: 'close-book'; readonly bookId: BookId }
    | { readonly verb: 'save'; readonly bookId: BookId; readonly isStale: boolean }
    | { readonly verb: 'issue-pack'; readonly bookId: BookId; readonly dropId: DropId; readonly byIssuer: boolean }
    | { readonly verb: 'open-pack'; readonly bookId: BookId; readonly packId: PackId }
    | { readonly verb: 'add-cards'; readonly bookId: BookId; readonly cardIds: readonly CardId[] }
    | { readonly verb: 'remove-cards'; readonly bookId: BookId; readonly instanceIds: readonly InstanceId[] }
    | { readonly verb: 'create-code'; readonly codeId: CodeId; readonly collectionId: CollectionId; readonly dropId: DropId }
    | { readonly verb: 'revoke-code'; readonly codeId: CodeId }
    | { readonly verb: 'claim-code'; readonly bookId: BookId; readonly codeId: CodeId }
    | {
        readonly verb: 'offer';
        readonly bookId: BookId;
        readonly to: BookId;
        readonly give: readonly InstanceId[];
        readonly want: Want;
        readonly expiresMs: number;
      }
    | {
        readonly verb: 'accept';
        readonly bookId: BookId;
        readonly from: BookId;
        readonly tradeId: TradeId;
        readonly give: readonly InstanceId[];
      }
    | { readonly verb: 'decline'; readonly bookId: BookId; readonly from: BookId; readonly tradeId: TradeId }
    | { readonly verb: 'cancel'; readonly from: BookId; readonly tradeId: TradeId }
    | { readonly verb: 'open-drop'; readonly collectionId: CollectionId; readonly packSize: number }
    | { readonly verb: 'close-drop'; readonly collectionId: CollectionId; readonly dropId: DropId }
    | { readonly verb: 'retire-series'; readonly collectionId: CollectionId; readonly seriesId: SeriesId }
    | { readonly verb: 'revoke-identity'; readonly identityId: IdentityId }
  );

export type CommandOf<V extends Command['verb']> = Extract<Command, { readonly verb: V }>;
