import type { JsonObject } from '../../src/receipt/json.ts';
import type { Neighbourhood, OpenBook } from './neighbourhood.ts';
import { does, headOf } from './neighbourhood.ts';

const PAGES = 12;
const PLACES = { least: 6, most: 10 };
const PAGE_PIXELS = 600;

/** How a child has arranged a page: with the envelope, a receipt of about 1 KB. */
const arranged = ({ chance }: Neighbourhood, { collection }: OpenBook): JsonObject => ({
  page: chance.between(1, PAGES),
  placements: Array.from({ length: chance.between(PLACES.least, PLACES.most) }, (_, slot) => ({
    slot,
    card: chance.oneOf(collection.cardIds),
    x: chance.below(PAGE_PIXELS),
    y: chance.below(PAGE_PIXELS),
  })),
});

/** Saves a page of the book: one receipt. */
export const savePage = async (here: Neighbourhood, book: OpenBook): Promise<void> => {
  const baseEventId = await headOf(here, book);
  const state = arranged(here, book);
  await does(here, book.signer, (context) => here.commands.save(context, book, { state, baseEventId }));
};
