import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { tagOf } from './object-tag.ts';

const directory = mkdtempSync(join(tmpdir(), 'pixpax-tags-'));
afterAll(() => rmSync(directory, { recursive: true }));

const made = (name: string, text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return { path, facts: () => statSync(path, { bigint: true }) };
};
/** When a file has come to rest. */
const laterMs = Date.now() + 3_600_000;

describe('the tag of a file', () => {
  it('stays the same while the file does', () => {
    const { facts } = made('same', 'one');
    expect(tagOf(facts(), laterMs)).toBe(tagOf(facts(), laterMs + 1));
  });

  it('is another one for other bytes of the same length, also when the time of the change is set back', () => {
    const { path, facts } = made('edited', 'one');
    const before = facts();
    writeFileSync(path, 'two');
    utimesSync(path, Number(before.atimeNs) / 1e9, Number(before.mtimeNs) / 1e9);
    expect(facts()).toMatchObject({ size: before.size, ino: before.ino });
    expect(tagOf(facts(), laterMs)).not.toBe(tagOf(before, laterMs));
  });

  it('never comes again as long as the next change could bear the same time', () => {
    const { facts } = made('fresh', 'one');
    const changedMs = Number(facts().ctimeNs / 1_000_000n);
    expect(tagOf(facts(), changedMs + limits.tagRestMs)).not.toBe(tagOf(facts(), changedMs + limits.tagRestMs));
    // Nor when it was changed in the future, by a clock that is ahead of ours.
    expect(tagOf(facts(), changedMs - 60_000)).not.toBe(tagOf(facts(), changedMs - 60_000));
    expect(tagOf(facts(), changedMs + limits.tagRestMs + 1)).toBe(tagOf(facts(), laterMs));
  });

  it('never comes again for what is no file', () => {
    const folder = statSync(directory, { bigint: true });
    expect(tagOf(folder, laterMs)).not.toBe(tagOf(folder, laterMs));
    expect(tagOf(null, laterMs)).not.toBe(tagOf(null, laterMs));
  });
});
