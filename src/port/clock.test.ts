import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { systemClock, withDeadline } from './clock.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const heapBytes = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

const calls = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await withDeadline(systemClock, 'store', 5_000, () => Promise.resolve(i));
  // The deadline of the last one is told that it is over after its caller is.
  await systemClock.sleep(0);
};

describe('a deadline', () => {
  it('answers what the call answers, and throws what it throws', async () => {
    expect(await withDeadline(systemClock, 'store', 5_000, () => Promise.resolve('read'))).toBe('read');
    const failing = withDeadline(systemClock, 'store', 5_000, () => Promise.reject(new RangeError('no')));
    await expect(failing).rejects.toThrow(RangeError);
  });

  it('ends the wait for a call that hangs', async () => {
    const hanging = withDeadline(systemClock, 'store', 10, () => new Promise(() => undefined));
    await expect(hanging).rejects.toMatchObject({ code: 'deadline-exceeded' });
  });

  it('keeps nothing of a call that is over: a service makes millions', async () => {
    await calls(1_000);
    const before = heapBytes();
    await calls(20_000);
    // Some 400 bytes to a call were 8 MB.
    expect(heapBytes() - before).toBeLessThan(2_000_000);
  });
});
