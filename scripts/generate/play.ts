import { derivedKey } from '../../src/command/derived-key.ts';
import { limits } from '../../src/limits.ts';
import { derivedUlid } from '../../src/receipt/ids.ts';
import { prefixOf } from '../../src/receipt/key-path.ts';
import { codeStream } from '../../src/receipt/stream.ts';
import { type CodeKey, codeIdOf, newCode } from '../../src/stream/code/secret.ts';
import { insist } from './asking.ts';
import { cardDeeds, pages } from './card-deeds.ts';
import type { Deed } from './deed.ts';
import { newCollector, newFamily } from './family.ts';
import { familyDeeds } from './family-deeds.ts';
import type { Neighbourhood } from './neighbourhood.ts';
import { tradeDeeds } from './trade-deeds.ts';

const deeds: readonly Deed[] = [pages, ...cardDeeds, ...tradeDeeds, ...familyDeeds];
const allWeights = deeds.reduce((sum, { weight }) => sum + weight, 0);

/** Receipts of one collector's year: domain.md says 100 to 300. */
const RECEIPTS_A_COLLECTOR = 180;
const COLLECTORS_A_FAMILY = 3;
const CODES_SHARE = 0.03;
const SECOND_BOOK = 0.6;

/** One neighbourhood's year. */
export type Year = {
  /** Exactly so many receipts, unless it is stopped. */
  readonly receipts: number;
  readonly endMs: number;
  readonly codeKey: CodeKey;
  /** Every deed once, before chance has its way. */
  readonly repertoire: boolean;
  readonly isStopped: () => boolean;
};

/** Plays a year to its last receipt; or, stopped, to the end of the deed it is at: then it is a shorter year, and all of it is true. */
export const playYear = async (here: Neighbourhood, year: Year): Promise<void> => {
  const left = (): number => year.receipts - here.store.tally.receipts;
  await moveIn(here, year);
  await printCodes(here, year);
  if (year.repertoire) await playAll(here, year, left);
  while (left() > 0 && !year.isStopped()) {
    const before = left();
    const deed = chosen(here.chance.next());
    const until = { receipts: before, ms: year.endMs };
    const done = deed.atMost <= before && (await deed.play(here, until));
    if (!done) await pages.play(here, until);
    await here.finishes();
    rest(here, year, before - left(), before);
  }
};

const chosen = (chance: number): Deed => {
  let left = chance * allWeights;
  for (const deed of deeds) {
    left -= deed.weight;
    if (left < 0) return deed;
  }
  return pages;
};

/** As much of the time left goes by as of the receipts left were made, more or less: what is left over is never used up. */
const rest = ({ chance, clock }: Neighbourhood, { endMs }: Year, made: number, before: number): void => {
  const share = Math.min(1, (made / before) * (0.5 + chance.next()));
  clock.turn(Math.max(0, endMs - clock.now()) * share);
};

const moveIn = async (here: Neighbourhood, { receipts }: Year): Promise<void> => {
  const collectors = Math.max(3, Math.round(receipts / RECEIPTS_A_COLLECTOR));
  const { chance, market } = here;
  const collections = [...market.collections].sort(() => chance.next() - 0.5).slice(0, 2);
  for (let made = 0; made < collectors; ) {
    const family = await newFamily(here);
    here.families.push(family);
    for (const most = made + chance.between(1, COLLECTORS_A_FAMILY); made < Math.min(most, collectors); made++)
      here.books.push(...(await newCollector(here, family, chance.happens(SECOND_BOOK) ? collections : collections.slice(0, 1))));
  }
};

/** A batch of codes of one drop: one receipt each, under the keys that a batch uses. */
const printCodes = async (here: Neighbourhood, { receipts, codeKey }: Year): Promise<void> => {
  const { market, commands, seed, name, chance, clock } = here;
  const count = Math.min(limits.codesPerBatch, Math.max(3, Math.floor(receipts * CODES_SHARE)));
  const { userId, identityId } = market.issuer;
  const { collection } = chance.oneOf(here.books);
  const dropId = chance.oneOf(collection.drops);
  const batchId = `bat_${derivedUlid('pixpax/generate/batch/v1', seed, name, dropId)}`;
  for (let i = 0; i < count; i++) {
    const codeId = codeIdOf(codeKey, newCode(codeKey, batchId, i));
    const { collectionId } = collection;
    clock.turn(20);
    const context = { userId, idempotencyKey: derivedKey(batchId, prefixOf(codeStream(codeId))), ifMatch: null };
    await insist(() => commands.createCode(context, { identityId, codeId, collectionId, dropId, batchId }));
    here.codes.push({ codeId, collectionId });
  }
};

/** Packs first: trades need copies. */
const playAll = async (here: Neighbourhood, year: Year, left: () => number): Promise<void> => {
  const [packs] = cardDeeds;
  const ready = packs === undefined ? [] : Array.from({ length: 12 }, () => packs);
  for (const deed of [...ready, ...cardDeeds, ...tradeDeeds, ...familyDeeds])
    if (deed.atMost <= left() && !year.isStopped()) {
      await deed.play(here, { receipts: left(), ms: year.endMs });
      await here.finishes();
    }
};
