import { describe, expect, it } from 'vitest';
import { type BatchRules, batching } from './batching.ts';

/** Batches that run until the test lets them: `batches` shows what was started, `finish` ends the oldest that runs. */
const held = (rules: Partial<BatchRules<string, string>> = {}) => {
  const batches: (readonly string[])[] = [];
  const running: (() => void)[] = [];
  const { submit, idle } = batching<string, string>({
    most: 3,
    inFlight: 1,
    concernsAll: () => false,
    run: async (requests) => {
      batches.push(requests);
      await new Promise<void>((resolve) => running.push(resolve));
      return requests.map((request) => `${request}!`);
    },
    ...rules,
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const finish = async () => {
    running.shift()?.();
    await turn();
    await turn();
  };
  return { submit, idle, batches, finish, turn };
};

const all = (submit: (request: string) => Promise<string>, requests: string) => Promise.all([...requests].map(submit));

describe('batching', () => {
  it('runs a lone request by itself and at once', async () => {
    const { submit, batches, finish, turn } = held();
    const answer = submit('a');
    await turn();
    expect(batches).toEqual([['a']]);
    await finish();
    expect(await answer).toBe('a!');
  });

  it('puts what comes in one turn together, and what comes while a batch runs into the next', async () => {
    const { submit, batches, finish, turn } = held();
    const first = all(submit, 'ab');
    await turn();
    const second = all(submit, 'cd');
    await turn();
    expect(batches).toEqual([['a', 'b']]);
    await finish();
    expect(await first).toEqual(['a!', 'b!']);
    expect(batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    await finish();
    expect(await second).toEqual(['c!', 'd!']);
  });

  it('keeps to the limits on requests and on batches in flight', async () => {
    const { submit, batches, finish, turn } = held({ inFlight: 2 });
    const answers = all(submit, 'abcdefgh');
    await turn();
    expect(batches.map((batch) => batch.join(''))).toEqual(['abc', 'def']);
    for (let n = 0; n < 3; n++) await finish();
    expect(batches.map((batch) => batch.join(''))).toEqual(['abc', 'def', 'gh']);
    expect(await answers).toHaveLength(8);
  });

  it('never runs two requests of a lane at the same time, and keeps their order', async () => {
    const { submit, batches, finish, turn } = held({ inFlight: 2, laneOf: (request) => request.toLowerCase() });
    const answers = all(submit, 'aAbaC');
    await turn();
    expect(batches).toEqual([['a', 'b', 'C']]);
    await finish();
    expect(batches[1]).toEqual(['A']);
    await finish();
    expect(batches[2]).toEqual(['a']);
    await finish();
    expect(await answers).toEqual(['a!', 'A!', 'b!', 'a!', 'C!']);
  });

  it('runs each alone after a failure of the batch, so that one fails and the rest do not', async () => {
    const runs: string[] = [];
    const { submit } = batching<string, string>({
      most: 10,
      inFlight: 1,
      laneOf: (request) => request,
      concernsAll: () => false,
      run: async (requests) => {
        runs.push(requests.join(''));
        if (requests.includes('x')) throw new Error('poison');
        return [...requests];
      },
    });
    const outcomes = await Promise.allSettled([...'axbx'].map(submit));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect(runs).toEqual(['axb', 'a', 'x', 'b', 'x']);
  });

  it('fails all of a batch with what concerns all', async () => {
    let runs = 0;
    const { submit } = batching<string, string>({
      most: 10,
      inFlight: 1,
      concernsAll: () => true,
      run: async () => {
        runs++;
        throw new Error('down');
      },
    });
    const outcomes = await Promise.allSettled([...'abc'].map(submit));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(runs).toBe(1);
  });

  it('is idle when everything has settled', async () => {
    const { submit, idle, finish, turn } = held({ laneOf: () => 'one' });
    await idle();
    const answers = all(submit, 'ab');
    let isIdle = false;
    const waiting = idle().then(() => {
      isIdle = true;
    });
    await turn();
    await finish();
    expect(isIdle).toBe(false);
    await finish();
    await waiting;
    expect(await answers).toEqual(['a!', 'b!']);
  });
});
