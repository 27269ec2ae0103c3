import {
  type CollectionId,
  type IdentityId,
  type InstanceId,
  type TradeId,
  derivedUlid,
  dropPackIdFor,
  instantOf,
  parseInvitationId,
} from '../src/receipt/ids.ts';
import type { StreamOf } from '../src/receipt/stream.ts';
import type { AccountCommand } from '../src/stream/account/command.ts';
import { addCards, freeCopiesIn, issueCodePack, issuePack, openPack, removeCards } from './ledger-cards.ts';
import {
  cardId,
  claimCode,
  closeDrop,
  createCode,
  openDrop,
  publishCollection,
  retireSeries,
  revokeCode,
  seriesId,
} from './ledger-collection.ts';
import { type FixtureLedger, fixtureLedger, granted, userId } from './ledger-fixture.ts';
import { liveBookIn } from './ledger-state.ts';
import { completeTrade, expireTrade, offerTrade, soonest, traded } from './ledger-trade.ts';

type Book = StreamOf<'pixbook'>;

/** A ledger in which everything happened, and two of its books, both open and both with copies and trades. */
export type WholeStory = {
  readonly ledger: FixtureLedger;
  readonly issuer: IdentityId;
  readonly collectionId: CollectionId;
  readonly annas: Book;
  readonly berts: Book;
  /** Accepted in `annas`, and still to be settled in `berts`. */
  readonly unsettled: TradeId;
};

/**
 * A story in which every event happens, and every status that anything in the ledger can have is the last one of something. What each receipt
 * cites is there, and every pack is drawn as its drop's seed says: it passes `verify` once `unsettled` is settled.
 */
export const wholeStory = async (): Promise<WholeStory> => {
  const ledger = await fixtureLedger();
  const issuer = await ledger.createIssuer(userId('iris'));
  const collectionId = await publishCollection(ledger, { issuer });
  const annas = await bookOf(ledger, 'anna', collectionId);
  const berts = await bookOf(ledger, 'bert', collectionId);
  await tellOfMembers(ledger);
  await tellOfInvitations(ledger);
  await tellOfPacks(ledger, { issuer, collectionId, annas, berts });
  const unsettled = await tellOfTrades(ledger, annas, berts);
  await tellOfSaves(ledger, annas);
  return { ledger, issuer, collectionId, annas, berts, unsettled };
};

const bookOf = async (ledger: FixtureLedger, name: string, collectionId: CollectionId): Promise<Book> => {
  const { accountId } = await ledger.createAccount(userId(name));
  const identityId = await ledger.createIdentity(accountId, userId(name));
  return ledger.createPixbook(accountId, identityId, collectionId);
};

/** A family that operators have to do with, and that leaves two invitations: one accepted, one open, and a third withdrawn. */
const tellOfInvitations = async (ledger: FixtureLedger): Promise<void> => {
  const [by, guest, operator] = [userId('dora'), userId('dan'), userId('olga')];
  const { accountId } = await ledger.createAccount(by);
  const account = async (command: AccountCommand) => granted(await ledger.account(accountId, command));
  const invite = async (name: string) => {
    const invitationId = granted(parseInvitationId(`inv_${derivedUlid('test/invitation', name)}`));
    await account({ type: 'invite-member', invitationId, role: 'member', at: instantOf(ledger.nowMs()), by });
    return invitationId;
  };
  const [accepted, withdrawn] = [await invite('accepted'), await invite('withdrawn')];
  await invite('open');
  await account({ type: 'accept-invitation', invitationId: accepted, userId: guest, at: instantOf(ledger.nowMs()) });
  await account({ type: 'withdraw-invitation', invitationId: withdrawn, by });
  await account({ type: 'change-plan', plan: 'pro', by: operator });
  await account({ type: 'suspend-account', reason: 'somebody else sent the cards back', by: operator });
  await account({ type: 'resume-account', by: operator });
  await account({ type: 'suspend-account', reason: 'and again', by: operator });
};

/** A family that leaves: a member comes and goes, an identity is revoked, and the account is closed. */
const tellOfMembers = async (ledger: FixtureLedger): Promise<void> => {
  const [by, other] = [userId('cleo'), userId('carl')];
  const { accountId } = await ledger.createAccount(by);
  granted(await ledger.account(accountId, { type: 'add-member', userId: other, role: 'viewer', by }));
  granted(await ledger.account(accountId, { type: 'change-member-role', userId: other, role: 'member', by }));
  const identityId = await ledger.createIdentity(accountId, other);
  granted(await ledger.account(accountId, { type: 'remove-member', userId: other, by }));
  granted(await ledger.account(accountId, { type: 'revoke-identity', identityId, by }));
  granted(await ledger.account(accountId, { type: 'close-account', by }));
};

/** Packs of two drops, one of them closed, and codes that came to every end. */
const tellOfPacks = async (
  ledger: FixtureLedger,
  { issuer, collectionId, annas, berts }: Omit<WholeStory, 'ledger' | 'unsettled'>,
): Promise<void> => {
  const closed = await openDrop(ledger, collectionId, { issuer });
  await issuePack(ledger, annas, closed, { issuer });
  await issuePack(ledger, berts, closed);
  await openPack(ledger, annas, dropPackIdFor(closed, annas.bookId));
  const single = { collectionId, dropId: closed };
  const worth = { ...single, batchId: `bat_${derivedUlid('test/batch', 'spring')}` };
  const packed = await createCode(ledger, 'packed', worth, { issuer });
  const claimed = await createCode(ledger, 'claimed', worth, { issuer });
  const revoked = await createCode(ledger, 'revoked', worth, { issuer });
  await createCode(ledger, 'open', single, { issuer });
  await claimCode(ledger, packed, annas);
  await issueCodePack(ledger, annas, packed);
  await claimCode(ledger, claimed, berts);
  await revokeCode(ledger, revoked, { issuer });
  await closeDrop(ledger, collectionId, closed, { issuer });
  await publishCollection(ledger, { collectionId, issuer });
  await retireSeries(ledger, collectionId, seriesId('reed'), { issuer });
  const open = await openDrop(ledger, collectionId, { issuer, packSize: 3 });
  await issuePack(ledger, annas, open);
  const [wrong] = await addCards(ledger, annas, ['pond-1', 'pond-1', 'sky-5'].map(cardId), { issuer });
  await removeCards(ledger, annas, [wrong ?? missing()], { issuer });
  await addCards(ledger, berts, ['pond-2', 'reed-3', 'sky-5'].map(cardId), { issuer });
};

/** Trades that came to every end, and some that are still open: the last of them is to be settled. */
const tellOfTrades = async (ledger: FixtureLedger, annas: Book, berts: Book): Promise<TradeId> => {
  const copy = (book: Book, n = 0): InstanceId => freeCopiesIn(ledger, book)[n] ?? missing();
  const offer = (from: Book, to: Book, want = {}) => offerTrade(ledger, from, to, { give: [copy(from)], want });

  await completeTrade(ledger, await offerTrade(ledger, annas, berts, { give: [copy(annas), copy(annas, 1)] }));
  await completeTrade(ledger, await offer(berts, annas, { instanceIds: [copy(annas)] }));
  const chosen = copy(berts);
  const { cardId: wanted } = liveBookIn(ledger, berts).cards.get(chosen) ?? missing();
  await completeTrade(ledger, await offer(annas, berts, { cardIds: [wanted] }), [chosen]);

  await traded(ledger, await offer(annas, berts), 'decline-trade');
  const tooLate = await offer(annas, berts, { instanceIds: [copy(berts)] });
  await traded(ledger, tooLate, 'reserve-trade');
  await traded(ledger, tooLate, 'cancel-trade');
  await traded(ledger, tooLate, 'release-trade');
  const brief = await offerTrade(ledger, berts, annas, { give: [copy(berts)], expiresAt: soonest(ledger) });
  await expireTrade(ledger, brief);

  await offer(annas, berts);
  await traded(ledger, await offer(berts, annas, { instanceIds: [copy(annas)] }), 'reserve-trade');
  const underWay = await offer(annas, berts, { instanceIds: [copy(berts)] });
  await traded(ledger, underWay, 'reserve-trade');
  await traded(ledger, underWay, 'accept-trade');
  return underWay;
};

/** A key is handed over and used, and a second identity’s book is closed. */
const tellOfSaves = async (ledger: FixtureLedger, book: Book): Promise<void> => {
  const owner = userId('anna');
  const { identityId, collectionId } = liveBookIn(ledger, book);
  await ledger.save(book, { page: 1, 'tab\tand\\': 'new\nline' });
  await ledger.rotateKey(book.accountId, identityId, owner);
  await ledger.save(book, { page: 2 });
  const second = await ledger.createIdentity(book.accountId, owner);
  const brief = await ledger.createPixbook(book.accountId, second, collectionId);
  granted(await ledger.pixbook(brief, { type: 'close' }));
  await ledger.createPixbook(book.accountId, second, collectionId, 2);
};

const missing = (): never => {
  throw new RangeError('the story has run out of copies');
};
