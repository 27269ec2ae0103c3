import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Allowance, Limiter, Standing } from '../../src/port/limiter.ts';

const MINUTE = 60_000;
let subjects = 0;

/** An allowance of somebody new. */
const allowanceOf = (points: number, more: Partial<Allowance> = {}): Allowance => ({
  policy: 'reads',
  subject: `usr_${++subjects}`,
  points,
  windowMs: MINUTE,
  burst: null,
  leased: true,
  ...more,
});

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const pass = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

/** How many of so many requests are admitted, one after another. */
const admitted = async (limiter: Limiter, allowance: Allowance, requests: number): Promise<number> => {
  let count = 0;
  for (let n = 0; n < requests; n++) if ((await limiter.take([allowance])).allowed) count += 1;
  return count;
};

const shown = (standings: readonly Standing[]) => standings.map(({ policy, remaining, resetMs }) => [policy, remaining, resetMs]);

/**
 * The contract of `Limiter`, for counts that several processes share. `open` stands for a process: each call is another one on the same counts.
 * Time is the machine's, and stands still but for `pass`.
 */
export const limiterContract = (name: string, open: () => Limiter): void => {
  describe(`a limiter: ${name}`, () => {
    let one: Limiter;
    let other: Limiter;
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
      one = open();
      other = open();
    });
    afterEach(async () => {
      vi.useRealTimers();
      await Promise.all([one.close(), other.close()]);
    });

    it.each([true, false])('admits as many as there are points, and no more (leased: %s)', async (leased) => {
      const allowance = allowanceOf(23, { leased });
      expect(await admitted(one, allowance, 30)).toBe(23);
      expect(await one.take([allowance])).toMatchObject({ allowed: false, refused: 'reads', retryMs: MINUTE });
    });

    it('tells how it stands after each request', async () => {
      const allowance = allowanceOf(3, { leased: false });
      const rows = [];
      for (let n = 0; n < 4; n++) {
        rows.push(shown((await one.take([allowance])).standings)[0]);
        pass(1_000);
      }
      expect(rows).toEqual([
        ['reads', 2, 60_000],
        ['reads', 1, 59_000],
        ['reads', 0, 58_000],
        ['reads', 0, 57_000],
      ]);
    });

    it('is whole again when the window is over, and not before', async () => {
      const allowance = allowanceOf(5);
      expect(await admitted(one, allowance, 6)).toBe(5);
      pass(MINUTE - 1);
      expect([await admitted(one, allowance, 2), await admitted(other, allowance, 2)]).toEqual([0, 0]);
      pass(1);
      expect((await admitted(one, allowance, 6)) + (await admitted(other, allowance, 6))).toBe(5);
    });

    it('does not carry what a process held over into the next window', async () => {
      const allowance = allowanceOf(100);
      expect(await admitted(one, allowance, 1)).toBe(1); // and 9 more are held
      pass(MINUTE);
      expect(await admitted(other, allowance, 101)).toBe(100);
      expect(await admitted(one, allowance, 20)).toBe(0);
    });

    it('never admits more than there is, whoever asks, at once or in turn', async () => {
      const asked = fc.record({
        points: fc.integer({ min: 1, max: 60 }),
        leased: fc.boolean(),
        rounds: fc.array(fc.array(fc.boolean(), { maxLength: 40 }), { maxLength: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(asked, async ({ points, leased, rounds }) => {
          const allowance = allowanceOf(points, { leased });
          let count = 0;
          for (const round of rounds) {
            const taken = await Promise.all(round.map((first) => (first ? one : other).take([allowance])));
            count += taken.filter(({ allowed }) => allowed).length;
          }
          const requests = rounds.flat().length;
          expect(count).toBeLessThanOrEqual(points);
          if (!leased) expect(count).toBe(Math.min(points, requests));
          // The rest is held by one of the two, who between them can spend all.
          const rest = (await admitted(one, allowance, points)) + (await admitted(other, allowance, points));
          expect(count + rest).toBe(points);
        }),
        { numRuns: 40 },
      );
    });

    it('draws on the burst when the window’s points are used up, and the burst comes back in its own time', async () => {
      const allowance = allowanceOf(10, { burst: { points: 4, windowMs: 5 * MINUTE } });
      expect(await admitted(one, allowance, 20)).toBe(14);
      const refused = await one.take([allowance]);
      expect(refused).toMatchObject({ allowed: false, refused: 'reads', retryMs: MINUTE });
      expect(shown(refused.standings)).toEqual([
        ['reads', 0, MINUTE],
        ['reads-burst', 0, 5 * MINUTE],
      ]);
      pass(MINUTE);
      expect(await admitted(one, allowance, 20)).toBe(10);
      pass(4 * MINUTE);
      expect(await admitted(one, allowance, 20)).toBe(14);
    });

    it('draws on several in turn, up to the first that has nothing left', async () => {
      const [first, empty, last] = [allowanceOf(5), allowanceOf(1, { policy: 'claims' }), allowanceOf(5)];
      await one.take([empty]);
      const taken = await one.take([first, empty, last]);
      expect(taken).toMatchObject({ allowed: false, refused: 'claims' });
      expect(shown(taken.standings).map(([policy]) => policy)).toEqual(['reads', 'claims']);
      expect((await one.look([first, empty, last])).map(({ remaining }) => remaining)).toEqual([4, 0, 5]);
    });

    it('counts each subject and each policy by itself', async () => {
      const allowance = allowanceOf(2);
      expect(await admitted(one, allowance, 3)).toBe(2);
      expect(await admitted(one, { ...allowance, policy: 'commands' }, 3)).toBe(2);
      expect(await admitted(one, { ...allowance, subject: `${allowance.subject}_too` }, 3)).toBe(2);
    });

    it('can be looked at without being drawn on', async () => {
      const allowance = allowanceOf(20, { burst: { points: 4, windowMs: 5 * MINUTE } });
      const whole = [
        ['reads', 20, MINUTE],
        ['reads-burst', 4, 5 * MINUTE],
      ];
      expect(shown(await one.look([allowance]))).toEqual(whole);
      await one.take([allowance]);
      pass(1_000);
      expect(shown(await one.look([allowance]))[0]).toEqual(['reads', 19, 59_000]);
      // What the first one holds is as good as spent for the other.
      expect(shown(await other.look([allowance]))[0]).toEqual(['reads', 18, 59_000]);
    });

    it('is made whole for every process within a second', async () => {
      const allowance = allowanceOf(4, { burst: { points: 2, windowMs: 5 * MINUTE } });
      expect(await admitted(one, allowance, 10)).toBe(6);
      expect(await admitted(other, allowance, 1)).toBe(0);
      await one.reset([allowance]);
      pass(1_000);
      expect(await admitted(other, allowance, 10)).toBe(6);
      await other.reset([allowance]);
      expect(await admitted(other, allowance, 10)).toBe(6);
    });

    it('asks for what several want at once together, and lets each have one', async () => {
      const allowance = allowanceOf(50, { leased: false });
      const taken = await Promise.all(times(60, () => one.take([allowance])));
      expect(taken.filter(({ allowed }) => allowed)).toHaveLength(50);
    });

    it('knows that its counts are shared', () => {
      expect(one.shared()).toBe(true);
    });
  });
};
