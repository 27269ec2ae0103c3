import { memorySigner } from '../src/adapter/memory/signer.ts';
import { limits } from '../src/limits.ts';
import { type PackId, derivedUlid, instantOf, parseInvitationId } from '../src/receipt/ids.ts';
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

const ANN = userId('ann');
const BEN = userId('ben');
const CLEO = userId('cleo');
const DORA = userId('dora');

const family = async (ledger: FixtureLedger, user: typeof ANN, collectionId: Parameters<FixtureLedger['createPixbook']>[2]) => {
  const account = await ledger.createAccount(user);
  const identityId = await ledger.createIdentity(account.accountId, user);
  const book = await ledger.createPixbook(account.accountId, identityId, collectionId);
  return { account, user, identityId, book };
};

export type Family = Awaited<ReturnType<typeof family>>;

/**
 * Four families, the last with a pixbook that nothing happens in, and one collection with three drops: one closed, one open, one (`late`) closed with a code of it claimed in time. Every kind
 * of receipt is in it, every table of the projection has a row, and all of it is right. Ann and Ben have made a swap and a gift.
 */
export const domainLedger = async () => {
  const ledger = await fixtureLedger(memorySigner());
  const issuer = await ledger.createIssuer(userId('iris'));
  const collectionId = await publishCollection(ledger, { issuer });
  const a = await family(ledger, ANN, collectionId);
  const b = await family(ledger, BEN, collectionId);
  const c = await family(ledger, CLEO, collectionId);
  const idle = await family(ledger, DORA, collectionId);

  const closed = await openDrop(ledger, collectionId, { issuer });
  const late = await openDrop(ledger, collectionId, { packSize: 3 });
  const packA = await issuePack(ledger, a.book, closed);
  await issuePack(ledger, b.book, closed, { issuer });
  await openPack(ledger, a.book, packA.receipt.payload.packId as PackId);
  const codes = {
    used: await createCode(ledger, 'used', { collectionId, dropId: closed }),
    revoked: await createCode(ledger, 'revoked', { collectionId, dropId: closed }, { issuer }),
    free: await createCode(ledger, 'free', { collectionId, dropId: late }),
    slow: await createCode(ledger, 'slow', { collectionId, dropId: late }),
  };
  await claimCode(ledger, codes.used, b.book);
  await issueCodePack(ledger, b.book, codes.used);
  await revokeCode(ledger, codes.revoked);
  await claimCode(ledger, codes.slow, c.book);
  await closeDrop(ledger, collectionId, closed);
  await closeDrop(ledger, collectionId, late);
  ledger.waitUntil(ledger.nowMs() + 2 * limits.keyGraceMs);
  await publishCollection(ledger, { collectionId });
  await retireSeries(ledger, collectionId, seriesId('pond'));
  // Claimed in time, got long after.
  await issueCodePack(ledger, c.book, codes.slow);
  const open = await openDrop(ledger, collectionId);
  await issuePack(ledger, c.book, open);
  const [granted1] = await addCards(ledger, c.book, [cardId('pond-1'), cardId('pond-1')]);
  if (granted1 !== undefined) await removeCards(ledger, c.book, [granted1]);

  const swap = await swapped(ledger, a, b);
  const gift = await offerTrade(ledger, b.book, a.book, { give: freeCopiesIn(ledger, b.book).slice(0, 1) });
  await completeTrade(ledger, gift);
  await ledger.rotateKey(b.account.accountId, b.identityId, BEN);
  const undecided = await otherEnds(ledger, a, b, c);
  const invitationId = granted(parseInvitationId(`inv_${derivedUlid('test/invitation', 'domain')}`));
  const invite = { type: 'invite-member', invitationId, role: 'viewer', at: instantOf(ledger.nowMs()), by: DORA } as const;
  granted(await ledger.account(idle.account.accountId, invite));
  return { ledger, issuer, collectionId, drops: { closed, late, open }, codes, packA, a, b, c, idle, swap, gift, ...undecided };
};

export type DomainLedger = Awaited<ReturnType<typeof domainLedger>>;

/** Two copies for one that is named, and any copy of a card. */
const swapped = async (ledger: FixtureLedger, a: Family, b: Family) => {
  const give = freeCopiesIn(ledger, a.book).slice(0, 2);
  const [named, other] = freeCopiesIn(ledger, b.book);
  if (named === undefined || other === undefined) throw new Error('Ben has too few cards');
  const wanted = liveBookIn(ledger, b.book).cards.get(other)?.cardId;
  const want = { instanceIds: [named], cardIds: wanted === undefined ? [] : [wanted] };
  const swap = await offerTrade(ledger, a.book, b.book, { give, want });
  await completeTrade(ledger, swap, [other]);
  return swap;
};

/** Trades that end otherwise, one of them after it was reserved; one that stands, and one that is reserved. */
const otherEnds = async (ledger: FixtureLedger, a: Family, b: Family, c: Family) => {
  const offer = (from: Family, to: Family, nth: number) =>
    offerTrade(ledger, from.book, to.book, { give: freeCopiesIn(ledger, from.book).slice(nth, nth + 1) });
  await traded(ledger, await offer(a, c, 0), 'decline-trade');
  const cancelled = await offer(a, b, 0);
  await traded(ledger, cancelled, 'reserve-trade');
  await traded(ledger, cancelled, 'cancel-trade');
  await traded(ledger, cancelled, 'release-trade');
  const expiring = { give: freeCopiesIn(ledger, c.book).slice(0, 1), expiresAt: soonest(ledger) };
  await expireTrade(ledger, await offerTrade(ledger, c.book, a.book, expiring));
  const standing = await offer(c, b, 1);
  const reserved = await offer(c, a, 2);
  await traded(ledger, reserved, 'reserve-trade');
  return { cancelled, standing, reserved };
};
