import { isLive } from '../access/authorise.ts';
import {
  type CodeId,
  type DropId,
  type EventId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type PackId,
  type ReceiptHash,
  codePackIdFor,
  dropPackIdFor,
} from '../receipt/ids.ts';
import { prefixOf } from '../receipt/key-path.ts';
import { pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { drawPack, poolOf } from '../stream/collection/draw.ts';
import type { PixbookCommand } from '../stream/pixbook/command.ts';
import { noConcerns } from '../stream/pixbook/concerns.ts';
import { type AppendParts, append } from './append.ts';
import { authoriseIssuer } from './collection-commands.ts';
import type { Collections } from './collections.ts';
import { derivedKey } from './derived-key.ts';
import type { Book, CommandContext, CommandOutcome, CommandRefusal, LedgerCommands } from './ledger-commands.ts';
import { type PixbookContext, type PixbookView, ownSignature, pixbookIntent, serviceWord } from './pixbook-intent.ts';

/** The pack that a code's claim has earned. */
export type PackIssue = {
  readonly book: Book;
  readonly dropId: DropId;
  readonly claim: { readonly codeId: CodeId; readonly eventId: EventId; readonly hash: ReceiptHash };
};

export type PackCommands = Pick<LedgerCommands, 'issuePack' | 'openPack'> & {
  /** What follows from a claim, by whomever and however often. */
  readonly issueCodePack: (issue: PackIssue) => Promise<CommandOutcome>;
};

const operator = { accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID };

/** The commands of packs. */
export const packCommands = (parts: AppendParts, collections: Collections): PackCommands => ({
  issuePack: (context, book, { dropId, identityId }) => {
    const packId = dropPackIdFor(dropId, book.bookId);
    const bySelf = identityId === null;
    return append(
      parts,
      pixbookIntent(bySelf ? context : inBookOf(context, identityId, book), {
        book,
        actor: bySelf ? operator : { accountId: OPERATOR_ACCOUNT_ID, identityId },
        authorise: bySelf ? ownSignature(context, book) : (view) => mayIssueInto(context, view),
        asked: { type: 'PACK_ISSUED', payload: { packId, dropId, claim: null } },
        concerns: { ...noConcerns, packIds: [packId] },
        command: (view) => drawn(collections, view, { book, packId, dropId, claim: null }),
      }),
    );
  },
  openPack: (context, book, packId) =>
    append(
      parts,
      pixbookIntent(context, {
        book,
        asked: { type: 'PACK_OPENED', payload: { packId } },
        command: { type: 'open-pack', packId },
      }),
    ),
  issueCodePack: ({ book, dropId, claim }) => {
    const packId = codePackIdFor(claim.codeId);
    const idempotencyKey = derivedKey(claim.eventId, prefixOf(pixbookStream(book.accountId, book.bookId)));
    const context: PixbookContext = { userId: null, idempotencyKey, ifMatch: null };
    return append(
      parts,
      pixbookIntent(context, {
        book,
        actor: operator,
        authorise: serviceWord,
        asked: { type: 'PACK_ISSUED', payload: { packId, dropId, claim } },
        concerns: { ...noConcerns, packIds: [packId] },
        command: (view) => drawn(collections, view, { book, packId, dropId, claim }),
      }),
    );
  },
});

type Wanted = {
  readonly book: Book;
  readonly packId: PackId;
  readonly dropId: DropId;
  readonly claim: PackIssue['claim'] | null;
};

/** Draws the pack, so that the decision need not know the seed (domain rule 6). Reads only: a crash leaves nothing. */
const drawn = async (
  collections: Collections,
  { state }: PixbookView,
  { book, ...wanted }: Wanted,
): Promise<Result<PixbookCommand, CommandRefusal>> => {
  if (state.status === 'absent') return err({ code: 'pixbook-missing', detail: 'there is no such pixbook' });
  const { collectionId } = state;
  const seen = await collections.of(collectionId);
  if (!seen.ok) return seen;
  const { state: collection, head } = seen.value;
  const drop = collection.status === 'absent' ? undefined : collection.drops.get(wanted.dropId);
  const base = { type: 'issue-pack', ...wanted, collection } as const;
  // What cannot be decided for is refused by the decision: the book has its pack, the drop is closed, there is no such drop.
  const isOver = drop === undefined || (wanted.claim === null && drop.status === 'closed');
  if (isOver || head === null || state.packs.has(wanted.packId)) return ok({ ...base, pool: null, cards: null });
  const pool = poolOf(collection);
  const cited = { eventId: head.eventId, hash: head.hash };
  if (pool.length < drop.packSize) return ok({ ...base, pool: cited, cards: null });
  const seed = await collections.seedOf(collectionId, wanted.dropId, drop);
  const cards = drawPack(pool, { seed, bookId: book.bookId, packId: wanted.packId, packSize: drop.packSize });
  return ok({ ...base, pool: cited, cards });
};

/** An issuer's key is its own in a stream that belongs to somebody else. */
export const inBookOf = (context: CommandContext, identityId: string, { accountId, bookId }: Book): CommandContext => ({
  ...context,
  idempotencyKey: derivedKey(`${identityId} ${context.idempotencyKey}`, prefixOf(pixbookStream(accountId, bookId))),
});

/** An issuer may put cards into any open book whose identity can still receive them. */
export const mayIssueInto = (context: CommandContext, view: PixbookView): Result<void, CommandRefusal> => {
  const issuer = authoriseIssuer(context, view);
  return !issuer.ok || view.identity === null ? issuer : isLive(view.accountStatus, view.identity);
};
