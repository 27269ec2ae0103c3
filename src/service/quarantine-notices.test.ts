import { expect, it } from 'vitest';
import { limits } from '../limits.ts';
import type { Notice } from '../port/notice.ts';
import { quarantining } from './quarantine-notices.ts';

const stopped: Notice = {
  ...{ level: 'alarm', code: 'ledger-invalid', stream: 'pixpax/codes/a', detail: 'hash: …' },
  fault: { code: 'hash', detail: '…' },
};

const worldOf = (note: (stream: string) => Promise<void> = () => Promise.resolve()) => {
  const [passed, noted, warned]: [Notice[], string[], unknown[]] = [[], [], []];
  let nowMs = Date.UTC(2026, 0, 1);
  const notify = quarantining((notice) => void passed.push(notice), {
    note: (stream) => {
      noted.push(stream);
      return note(stream);
    },
    clock: { now: () => nowMs },
    log: { warn: (...words: unknown[]) => void warned.push(words) },
  });
  return { passed, noted, warned, notify, advance: (ms: number) => (nowMs += ms) };
};

it('Notices are passed on, and a stream that the store stops is written down, now and then.', () => {
  const { passed, noted, notify, advance } = worldOf();
  for (let n = 0; n < 3; n++) notify(stopped);
  notify({ ...stopped, stream: 'pixpax/codes/b' });
  advance(limits.quarantineNoteMs);
  notify(stopped);
  expect(passed).toHaveLength(5);
  expect(noted).toEqual(['pixpax/codes/a', 'pixpax/codes/b', 'pixpax/codes/a']);
});

it('What is wrong with the projection, or with no stream that is named, puts no stream into quarantine.', () => {
  const { noted, notify } = worldOf();
  const { fault: _, ...ledgerWide } = stopped;
  notify({ ...stopped, fault: { code: 'projection-different', detail: '…' } });
  notify({ ...stopped, code: 'projection-different' });
  notify(ledgerWide);
  expect(noted).toEqual([]);
});

it('What could not be written is written when the stream is met again.', async () => {
  const { noted, warned, notify } = worldOf(() => Promise.reject(new Error('Postgres is away')));
  notify(stopped);
  await Promise.resolve();
  await expect.poll(() => warned).toHaveLength(1);
  notify(stopped);
  expect(noted).toHaveLength(2);
});
