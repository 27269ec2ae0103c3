import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Acknowledgement } from '../../projector/audit.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import type { EventId, IdempotencyKey, ReceiptHash } from '../../src/receipt/ids.ts';
import { prefixOf } from '../../src/receipt/key-path.ts';
import { pixbookStream } from '../../src/receipt/stream.ts';
import type { PixbookPayload } from '../../src/stream/pixbook/event.ts';
import type { ApiProcess } from './api-process.ts';
import { type Answer, type Book, insist } from './collector.ts';

/** A receipt that an answer named. Its key in the ledger follows from other receipts and not from the client's alone. */
export type Told = { readonly eventId: EventId; readonly hash: ReceiptHash };

/** Where the load goes, and what it was told. */
export type Ground = {
  readonly apis: readonly ApiProcess[];
  readonly store: ReceiptStore;
  readonly acknowledged: Acknowledgement[];
  /** Acceptances and claims. */
  readonly told: Told[];
  readonly goesOn: () => boolean;
};

/** Book by copy, as far as the clients know: a rival's exchange may be under way. */
export type Copies = Map<string, Book>;

/** A book asks for its pack of one drop after another, spread over the time there is; the copies go to those that are swapped. */
export const askForPacks = async (
  ground: Ground,
  book: Book,
  dropIds: readonly string[],
  paceMs: number,
  copies: Copies,
): Promise<void> => {
  const { apis, store, goesOn } = ground;
  for (const dropId of dropIds) {
    if (!goesOn()) return;
    const answer = await insist(apis, commandPath(book, 'issue-pack'), { dropId });
    if (answer.status !== 201) throw unexpected('a pack', answer);
    acknowledge(ground, book, answer);
    const { eventId } = toldBy(answer);
    const bytes = await store.read(`${prefixOf(streamOf(book))}/events/${eventId}.json`);
    if (bytes === null) throw new Error(`a pack was issued by ${eventId}, which is not in the store`);
    const { payload } = JSON.parse(Buffer.from(bytes).toString()) as { payload: PixbookPayload<'PACK_ISSUED'> };
    for (const { instanceId } of payload.cards) copies.set(instanceId, book);
    await sleep(Math.random() * 2 * paceMs);
  }
};

/** Two books want each code at once: one of them gets it. `codes` is used up, by however many do this together. */
export const raceForCodes = async (ground: Ground, books: readonly Book[], codes: string[]): Promise<void> => {
  for (let code = codes.shift(); code !== undefined && ground.goesOn(); code = codes.shift()) {
    const first = randomInt(books.length);
    const second = (first + 1 + randomInt(books.length - 1)) % books.length;
    const claimants = [books[first], books[second]].filter((book) => book !== undefined);
    const answers = await Promise.all(
      claimants.map((book) => insist(ground.apis, '/v1/codes/commands/claim', { code, ...placeOf(book) })),
    );
    const won = answers.filter(({ status }) => status === 201);
    const lost = answers.find(({ status, body }) => status !== 201 && body.code !== 'code-claimed');
    if (lost !== undefined) throw unexpected('a claim', lost);
    if (won.length !== 1) throw new Error(`a code was given to ${won.length} of two: ${JSON.stringify(answers)}`);
    ground.told.push(...won.map(toldBy));
  }
};

/**
 * Offers copies of one book for copies of the other, over and over, both ways; each offer is accepted, cancelled, or both at once.
 * Others do the same with the same copies.
 */
export const swap = async (ground: Ground, pair: readonly [Book, Book], copies: Copies): Promise<void> => {
  for (let turn = 0; ground.goesOn(); turn++) {
    const [from, to] = turn % 2 === 0 ? pair : [pair[1], pair[0]];
    const [give, want] = [anyCopyOf(from, copies), anyCopyOf(to, copies)];
    if (give === null || want === null) {
      await sleep(100); // their first packs are on their way
      continue;
    }
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const offer = { ...placeOf(from), to: placeOf(to), give: [give], want: { instanceIds: [want] }, expiresAt };
    const offered = await insist(ground.apis, '/v1/trades', offer);
    if (offered.body.code === 'card-not-held') copies.set(give, to); // a rival's exchange was told of before ours
    if (offered.status === 409) continue;
    if (offered.status !== 201) throw unexpected('an offer', offered);
    acknowledge(ground, from, offered);
    const end = await endTrade(ground, String(offered.body.tradeId), from, to);
    if (end === 'accepted') copies.set(give, to);
    if (end === 'accepted' || end === 'not held') copies.set(want, from);
  }
};

/** What became of the trade. Whatever happens to the processes, the clients are told of just one end. */
const endTrade = async (ground: Ground, tradeId: string, from: Book, to: Book): Promise<'accepted' | 'ended' | 'not held'> => {
  const places = `accountId=${from.accountId}&bookId=${from.bookId}&toAccountId=${to.accountId}&toBookId=${to.bookId}`;
  const end = (how: 'accept' | 'cancel') => {
    const key = randomUUID();
    return insist(ground.apis, `/v1/trades/${tradeId}/commands/${how}?${places}`, {}, key);
  };
  const chance = Math.random();
  const [accepted, early] = await Promise.all([chance < 0.85 ? end('accept') : null, chance > 0.65 ? end('cancel') : null]);
  // What was wanted may be gone: then the offer is taken back.
  const cancelled = early ?? (accepted?.status === 201 ? null : await end('cancel'));
  const answers = [accepted, cancelled].filter((answer) => answer !== null);
  const ends = answers.filter(isMade).length;
  if (answers.some(({ status }) => status !== 201 && status !== 409) || ends !== 1)
    throw new Error(`${tradeId} has not one end: ${JSON.stringify(answers)}`);
  if (cancelled !== null && isMade(cancelled)) acknowledge(ground, from, cancelled);
  if (accepted !== null && isMade(accepted)) ground.told.push(toldBy(accepted));
  if (accepted !== null && isMade(accepted)) return 'accepted';
  return accepted?.body.code === 'card-not-held' ? 'not held' : 'ended';
};

const isMade = ({ status }: Answer): boolean => status === 201;

const anyCopyOf = ({ bookId }: Book, copies: Copies): string | null => {
  const held = [...copies].filter(([, holder]) => holder.bookId === bookId);
  return held[Math.floor(Math.random() * held.length)]?.[0] ?? null;
};

/** For commands of which the receipt has the client's own key. */
const acknowledge = ({ acknowledged }: Ground, book: Book, answer: Answer & { key: string }): void =>
  void acknowledged.push({ stream: streamOf(book), idempotencyKey: answer.key as IdempotencyKey, ...toldBy(answer) });

const toldBy = ({ body }: Answer): Told => ({ eventId: body.eventId as EventId, hash: body.hash as ReceiptHash });

const streamOf = ({ accountId, bookId }: Book) => pixbookStream(accountId, bookId);
const placeOf = ({ accountId, bookId }: Book) => ({ accountId, bookId });
const commandPath = ({ accountId, bookId }: Book, command: string): string =>
  `/v1/pixbooks/${bookId}/commands/${command}?accountId=${accountId}`;

const unexpected = (what: string, { status, body }: Answer): Error =>
  new Error(`${what} was answered ${status}: ${JSON.stringify(body)}`);
