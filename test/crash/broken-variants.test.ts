import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../src/adapter/memory/faults.ts';
import { brokenVariants } from './broken-variants.ts';
import { type Rival, rivals, runCrashCase } from './crash-case.ts';
import { type Subject, subjects } from './subjects.ts';
import type { Weakening } from './world.ts';

/** Calls of a broken variant differ from those of the sound one: every call up to this one is tried. */
const CALLS = 14;

/** The first rows of the crash table that the audit objects to, with the invariants they break; crashes of the variant itself count as none. */
const violations = async (subject: Subject, weakening: Weakening, against: readonly Rival[]): Promise<Map<string, string>> => {
  const found = new Map<string, string>();
  for (const rival of against)
    for (let call = 0; call < CALLS; call++)
      for (const kind of [null, ...FAULT_KINDS]) {
        const findings = await runCrashCase({ subject, call, kind, rival }, weakening).then(
          (report) => report.findings,
          () => [],
        );
        for (const { invariant, detail } of findings)
          if (!found.has(invariant)) found.set(invariant, `${kind ?? 'no fault'} at call ${call}, ${rival}: ${detail}`);
      }
  return found;
};

/** A key may be rotated any number of times: no rule but the protocol keeps two rotations apart. */
const rotation = subjects.find(({ name }) => name === 'a rotated key');
if (rotation === undefined) throw new Error('no such subject');

describe('a broken variant of the append path turns the crash table red', () => {
  it.each(brokenVariants)('$name breaks $breaks', async ({ breaks, weakening, rivals: against }) => {
    const found = await violations(rotation, weakening, against);
    expect([...found.keys()]).toContain(breaks);
  });

  it('and the sound path does not, on the same rows', async () => {
    expect(await violations(rotation, (ports) => ports, rivals)).toEqual(new Map());
  });
});
