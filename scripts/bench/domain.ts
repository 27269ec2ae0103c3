import { randomBytes } from 'node:crypto';
import pMap from 'p-map';
import { limits } from '../../src/limits.ts';
import { type CardId, type DropId, OPERATOR_IDENTITY_ID, dropIdFor } from '../../src/receipt/ids.ts';
import { codeIdOf, codeKeyOf, newCode } from '../../src/stream/code/secret.ts';
import { type Measured, measure } from './latency.ts';
import { type BenchLedger, type OpenBook, asksAnew, made, openBenchLedger, smallState } from './ledger-on-disk.ts';
import { publicationOfCards } from './made-publication.ts';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const PACKS = limits.packsPerBatch;
const CODES = limits.codesPerBatch;
const LONG_BOOK_RECEIPTS = 10_000;
/** Saves are timed in turns, so that what the machine does meanwhile falls on both books alike. */
const ROUNDS = 5;

const identityId = OPERATOR_IDENTITY_ID;

/** An open drop, five cards a pack. */
const openDrop = async ({ commands, collectionId }: BenchLedger): Promise<DropId> => {
  const opening = asksAnew();
  made(await commands.openDrop(opening, { identityId, collectionId, title: 'Week 1', packSize: 5 }));
  return dropIdFor(collectionId, opening.idempotencyKey);
};

type Timed = { readonly count: number; readonly perSecond: number };

const timed = async (count: number, work: () => Promise<unknown>): Promise<Timed> => {
  const start = performance.now();
  await work();
  return { count, perSecond: (count / (performance.now() - start)) * 1_000 };
};

/** The appends of the same run and the same lanes: what a pack and a claim are held against. */
const plainSaves = (ledger: BenchLedger, books: readonly OpenBook[]): Promise<Measured> =>
  measure(limits.batchParallelItems, seconds, async (lane, turn) => {
    const book = books[lane];
    if (book === undefined) throw new Error('no such lane');
    const saved = made(await ledger.commands.save(asksAnew(), book, { state: smallState(turn), baseEventId: book.head }));
    book.head = saved.eventId;
  });

/** A new book and one with 10,000 receipts and as many cards, saved in turns. */
const longBook = async (ledger: BenchLedger, cardIds: readonly CardId[]) => {
  const [young, old] = await ledger.openBooks(2);
  if (young === undefined || old === undefined) throw new Error('no books');
  const grant = { identityId, cardIds: cardIds.slice(0, limits.cardsPerCommand), reason: 'bench' };
  for (let i = 0; i < 200; i++) old.head = made(await ledger.commands.addCards(asksAnew(), old, grant)).eventId;
  const save = async (book: OpenBook, turn: number): Promise<void> => {
    const saved = await ledger.commands.save(asksAnew(), book, { state: smallState(turn), baseEventId: book.head });
    book.head = made(saved).eventId;
  };
  for (let i = 200; i < LONG_BOOK_RECEIPTS; i++) await save(old, i);
  const took = { young: [] as number[], old: [] as number[] };
  for (let round = 0; round < ROUNDS * 40; round++)
    for (const [name, book] of [
      ['young', young],
      ['old', old],
    ] as const) {
      const start = performance.now();
      await save(book, round);
      took[name].push(performance.now() - start);
    }
  const median = (ms: readonly number[]): number => [...ms].sort((a, b) => a - b)[Math.floor(ms.length / 2)] ?? 0;
  return { receipts: LONG_BOOK_RECEIPTS, newBookMs: median(took.young), longBookMs: median(took.old) };
};

/** Packs in a batch, codes claimed, and a long book beside a new one; all in one run, beside plain appends. */
const benchDomain = async () => {
  const ledger = await openBenchLedger();
  try {
    const { collectionId } = ledger;
    const dropId = await openDrop(ledger);
    const books = await ledger.openBooks(PACKS);
    const append = await plainSaves(ledger, books);
    const lanes = { concurrency: limits.batchParallelItems };
    const packs = await timed(PACKS, () =>
      pMap(books, async (book) => made(await ledger.commands.issuePack(asksAnew(), book, { dropId, identityId })), lanes),
    );
    const key = codeKeyOf(randomBytes(32));
    const codes = Array.from({ length: CODES }, (_, i) => codeIdOf(key, newCode(key, 'bench', i)));
    const create = { identityId, collectionId, dropId, batchId: null };
    const created = await timed(CODES, () =>
      pMap(codes, async (codeId) => made(await ledger.commands.createCode(asksAnew(), { ...create, codeId })), lanes),
    );
    const claims = await timed(CODES, () =>
      pMap(
        codes,
        async (codeId, i) => {
          const book = books[i];
          if (book !== undefined) made(await ledger.commands.claimCode(asksAnew(), book, codeId));
        },
        lanes,
      ),
    );
    const { catalogue } = publicationOfCards(50);
    const long = await longBook(
      ledger,
      catalogue.cards.map(({ cardId }) => cardId),
    );
    return { append, packs, created, claims, long };
  } finally {
    await ledger.close();
  }
};

process.stdout.write(JSON.stringify(await benchDomain()));
