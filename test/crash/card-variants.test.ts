import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type CardRow, allRows, judgeRow } from './card-rows.ts';
import { releasesUnasked, reservesNothing } from './weakened-trades.ts';
import { codesStayOpen, nothingIsLeftToDo, offersStandForEver, packsAreForgotten } from './weakened-views.ts';
import type { Variant } from './world.ts';

/** The one weakness that no port and no wiring can bring about: keys that do not follow from what was decided. */
const keys = vi.hoisted(() => ({ areForgotten: false }));
vi.mock('../../src/command/derived-key.ts', async (original) => {
  const { derivedKey, ...others } = await original<typeof import('../../src/command/derived-key.ts')>();
  return {
    ...others,
    derivedKey: (...of: Parameters<typeof derivedKey>) => (keys.areForgotten ? randomUUID() : derivedKey(...of)),
  };
});

type CardVariant = Variant & { readonly name: string; readonly subject: string; readonly breaks: RegExp };

/**
 * Weakened rules, each the real code but for one thing that is left out. What they break must turn the crash table red, or it proves nothing.
 */
const variants: readonly CardVariant[] = [
  {
    name: 'an acceptance that reserves nothing',
    ...{
      subject: 'an accepted gift',
      breaks: /was accepted and nothing reserved for it|has vanished/,
      openLedger: reservesNothing,
    },
  },
  {
    name: 'an acceptance that does not look at what became of the offer',
    ...{
      subject: 'an accepted swap',
      breaks: /ended as CARD_TRADE_CANCELLED and CARD_TRADE_ACCEPTED/,
      weakening: offersStandForEver,
    },
  },
  {
    name: 'a worker that releases without asking what became of the offer',
    ...{ subject: 'the end of a trade that was left alone', breaks: /was released while it stood/, openLedger: releasesUnasked },
  },
  {
    name: 'a reservation that leaves nothing in the redo outbox',
    ...{ subject: 'an accepted swap', breaks: /trd_\w+ is reserved/, weakening: nothingIsLeftToDo },
  },
  {
    name: 'a claim that leaves nothing in the redo outbox',
    ...{ subject: 'a claimed code', breaks: /is claimed and its pack not issued/, weakening: nothingIsLeftToDo },
  },
  {
    name: 'a claim that does not look whether there was one',
    ...{ subject: 'a claimed code', breaks: /is claimed 2 times/, weakening: codesStayOpen },
  },
  {
    name: 'a pack of a drop that does not look whether there was one',
    ...{ subject: 'the pack of a drop', breaks: /has two packs of drp_/, weakening: packsAreForgotten },
  },
];

let rows: readonly CardRow[];
beforeAll(async () => {
  rows = await allRows();
});

/** Well mixed and always the same: like faults and rivals lie far apart, so that few rows are tried before one finds what is broken. */
const mixed = (some: readonly CardRow[]): readonly CardRow[] => some.toSorted((a, b) => placeOf(a) - placeOf(b));
const placeOf = ({ n }: CardRow): number => (n * 7_919) % 104_729;

/** The first complaint of that kind about a subject's rows: those without a fault, and those in which the service dies, first. */
const complaintAbout = async ({ subject, breaks, ...variant }: Omit<CardVariant, 'name'>): Promise<string | null> => {
  const mine = rows.filter((row) => row.subject.name === subject);
  const faultless = mine.filter(({ kind }) => kind === 'error').map((row) => ({ ...row, kind: null }));
  const deaths = mine.filter(({ kind }) => kind?.startsWith('death'));
  for (const row of [...mixed([...faultless, ...deaths]), ...mixed(mine)]) {
    // A variant may be so broken that it crashes: that counts for nothing.
    const { complaints } = await judgeRow(row, variant).catch(() => ({ complaints: [] }));
    const found = complaints.find((complaint) => breaks.test(complaint));
    if (found !== undefined) return found;
  }
  return null;
};

describe('a rule that is left out turns the crash table red', () => {
  it.each(variants)('$name', async (variant) => {
    expect(await complaintAbout(variant)).toMatch(variant.breaks);
  });

  it.each([
    ['a claimed code', /the retry was answered with|is claimed and its pack not issued|answered with \w+ and \w+/],
    ['an accepted swap', /the retry was answered with trade-accepted|is reserved and has ended/],
  ])('a redo of %s that forgets the derived key', async (subject, breaks) => {
    keys.areForgotten = true;
    try {
      expect(await complaintAbout({ subject, breaks })).toMatch(breaks);
    } finally {
      keys.areForgotten = false;
    }
  });
});
