import { createHash } from 'node:crypto';
import { parseCardId, parseSeriesId, parseSha256 } from '../receipt/ids.ts';
import type { Result } from '../result.ts';
import type { Card, Series } from '../stream/collection/event.ts';

/** A card of the demo with its art, drawn here. */
export type DrawnCard = Card & { readonly svg: string };

const SERIES = [
  {
    seriesId: 'shore',
    title: 'Shore',
    hue: 35,
    cards: 'Crab Gull Limpet Sandpiper Cockle Turnstone Lugworm Razor-clam Sea-holly Dune-beetle',
  },
  {
    seriesId: 'reef',
    title: 'Reef',
    hue: 350,
    cards: 'Clownfish Parrotfish Sea-fan Moray Giant-clam Lionfish Brain-coral Nudibranch Wrasse Cleaner-shrimp',
  },
  {
    seriesId: 'kelp',
    title: 'Kelp forest',
    hue: 130,
    cards: 'Sea-otter Urchin Garibaldi Bat-star Kelp-crab Leafy-dragon Rockfish Abalone Sheephead Sea-hare',
  },
  {
    seriesId: 'deep',
    title: 'The deep',
    hue: 235,
    cards: 'Anglerfish Giant-squid Lanternfish Isopod Gulper Vampire-squid Viperfish Sea-pig Tube-worm Goblin-shark',
  },
  {
    seriesId: 'open',
    title: 'Open sea',
    hue: 200,
    cards: 'Blue-whale Albatross Manta Sunfish Orca Tuna Sea-turtle Jellyfish Flying-fish Dolphin',
  },
] as const;

const named = <T>(parsed: Result<T, unknown>): T => {
  if (!parsed.ok) throw new TypeError('a name of the demo is malformed');
  return parsed.value;
};

/** Series of the demo's collection, as it is published. */
export const series: readonly Series[] = SERIES.map(({ seriesId, title }) => ({
  seriesId: named(parseSeriesId(seriesId)),
  title,
}));

/** Simple art: a few shapes whose places and colours follow from the card's name. */
const artOf = (title: string, hue: number): string => {
  const chance = [...createHash('sha256').update(title).digest()];
  const at = (i: number, size: number): number => Math.round(((chance[i % chance.length] ?? 0) / 255) * size);
  const shapes = Array.from({ length: 5 }, (_, i) => {
    const fill = `hsl(${(hue + at(i, 50)) % 360} ${45 + at(i + 5, 40)}% ${40 + at(i + 9, 35)}%)`;
    const [x, y, r] = [30 + at(i + 13, 180), 40 + at(i + 17, 190), 14 + at(i + 21, 46)];
    return i % 2 === 0
      ? `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}" opacity=".85"/>`
      : `<path d="M${x - r} ${y}q${r} ${-r * 1.6} ${r * 2} 0q${-r} ${r * 1.6} ${-r * 2} 0z" fill="${fill}" opacity=".85"/>`;
  }).join('');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 330" role="img" aria-label="${title}">` +
    `<rect width="240" height="330" rx="16" fill="hsl(${hue} 55% 92%)"/>${shapes}` +
    `<text x="120" y="306" text-anchor="middle" font-family="sans-serif" font-size="22" fill="hsl(${hue} 45% 25%)">${title}</text></svg>`
  );
};

/** The 50 cards of the demo. */
export const cards: readonly DrawnCard[] = SERIES.flatMap(({ seriesId, hue, cards: names }) =>
  names.split(' ').map((name) => {
    const title = name.replace('-', ' ');
    const svg = artOf(title, hue);
    const artHash = named(parseSha256(`sha256:${createHash('sha256').update(svg).digest('hex')}`));
    return { cardId: named(parseCardId(name.toLowerCase())), seriesId: named(parseSeriesId(seriesId)), title, artHash, svg };
  }),
);
