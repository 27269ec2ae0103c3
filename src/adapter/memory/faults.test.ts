import { describe, expect, it } from 'vitest';
import { Outage } from '../../port/outage.ts';
import { FAULT_KINDS, type FaultPlan, faultPlan, withFaults } from './faults.ts';
import { memoryStore } from './receipt-store.ts';

const bytes = Buffer.from('{}');
const KEY = 'pixpax/a.json';

const storeUnder = (plan: FaultPlan, objects = new Map<string, Uint8Array>()) => ({
  objects,
  store: withFaults(memoryStore(objects), plan, 'store'),
});

/** Whether a promise has settled once everything that can happen has happened. */
const settles = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false;
  const note = (): void => {
    settled = true;
  };
  promise.then(note, note);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
};

describe('a port without faults', () => {
  it('does what the port does, and every call of it is recorded in order', async () => {
    const plan = faultPlan();
    const { store } = storeUnder(plan);
    expect(await store.create(KEY, bytes)).toBe('created');
    expect(Buffer.from((await store.read(KEY)) ?? [])).toEqual(bytes);
    expect(await store.exists(KEY)).toBe(true);
    await expect(store.create('', bytes)).rejects.toThrow(TypeError);
    expect(plan.calls).toEqual([
      { index: 0, port: 'store', method: 'create' },
      { index: 1, port: 'store', method: 'read' },
      { index: 2, port: 'store', method: 'exists' },
      { index: 3, port: 'store', method: 'create' },
    ]);
    expect(plan.struck).toEqual([]);
  });

  it('keeps what is not a method', () => {
    const plan = faultPlan();
    expect(storeUnder(plan).store.description).toBe('memory');
    expect(plan.calls).toEqual([]);
  });
});

describe('a fault of each kind, on a create', () => {
  it.each([
    { kind: 'error', answer: 'outage', applied: false },
    { kind: 'error-but-applied', answer: 'outage', applied: true },
    { kind: 'hang', answer: 'never', applied: false },
    { kind: 'hang-but-applied', answer: 'never', applied: true },
    { kind: 'duplicate', answer: 'exists', applied: true },
    { kind: 'delayed-landing', answer: 'outage', applied: false },
    { kind: 'death', answer: 'never', applied: false },
    { kind: 'death-but-applied', answer: 'never', applied: true },
  ] as const)('$kind: answers $answer, applied: $applied, and only once', async ({ kind, answer, applied }) => {
    const plan = faultPlan({ kind, method: 'create', nth: 0 });
    const { store, objects } = storeUnder(plan);
    const call = store.create(KEY, bytes);
    if (answer === 'never') expect(await settles(call)).toBe(false);
    if (answer === 'exists') expect(await call).toBe('exists');
    if (answer === 'outage') await expect(call).rejects.toMatchObject({ code: 'store-unavailable', dependency: 'store' });
    expect(await plan.firstStrike).toBe(plan.struck[0]);
    expect(objects.has(KEY)).toBe(applied);
    expect(plan.isDead()).toBe(kind.startsWith('death'));
    if (!plan.isDead()) expect(await store.create('pixpax/b.json', bytes)).toBe('created');
  });

  it('covers every kind there is', () => {
    expect(FAULT_KINDS).toHaveLength(8);
  });
});

describe('the point of a fault', () => {
  it.each([
    { point: { nth: 2 }, struck: 2 },
    { point: { nth: 1, method: 'read' }, struck: 3 },
    { point: { nth: 0, port: 'signer' as const }, struck: null },
    { point: { nth: 0, port: 'store' as const, method: 'exists' }, struck: 4 },
  ])('$point strikes call $struck', async ({ point, struck }) => {
    const { store } = storeUnder(faultPlan({ kind: 'error', ...point }));
    const outcomes = await Promise.allSettled([
      store.create(KEY, bytes),
      store.read(KEY),
      store.create(KEY, bytes),
      store.read(KEY),
      store.exists(KEY),
    ]);
    const failed = outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
    expect(failed).toEqual(struck === null ? [] : [struck]);
  });

  it('counts across the ports of one process, whose outages carry their own names', async () => {
    const plan = faultPlan({ kind: 'error', nth: 1 });
    const store = withFaults(memoryStore(), plan, 'store');
    const signer = withFaults({ check: async () => undefined }, plan, 'signer');
    await store.read(KEY);
    await expect(signer.check()).rejects.toMatchObject({ code: 'signer-unavailable', dependency: 'signer' });
    expect(plan.calls.map(({ port }) => port)).toEqual(['store', 'signer']);
  });

  it('may be several', async () => {
    const plan = faultPlan({ kind: 'error', nth: 0 }, { kind: 'error-but-applied', nth: 1 });
    const { store } = storeUnder(plan);
    await expect(store.create(KEY, bytes)).rejects.toThrow(Outage);
    await expect(store.create(KEY, bytes)).rejects.toThrow(Outage);
    expect(await store.create(KEY, bytes)).toBe('exists');
    expect(plan.struck).toHaveLength(2);
  });
});

describe('death', () => {
  it('takes every later call of the process, and the answers to those under way, but not the calls of others', async () => {
    const objects = new Map<string, Uint8Array>();
    const slow = Promise.withResolvers<string>();
    const plan = faultPlan({ kind: 'death', method: 'create', nth: 0 });
    const { store } = storeUnder(plan, objects);
    const slowPort = withFaults({ wait: () => slow.promise }, plan, 'postgres');
    const underWay = slowPort.wait();
    const dying = store.create(KEY, bytes);
    slow.resolve('an answer that nobody is left to hear');
    const later = store.create('pixpax/b.json', bytes);
    expect([await settles(underWay), await settles(dying), await settles(later)]).toEqual([false, false, false]);
    expect([objects.size, plan.calls.length]).toEqual([0, 2]);
    expect(await memoryStore(objects).create(KEY, bytes)).toBe('created');
  });
});

describe('a delayed request', () => {
  it('lands when the test says so, after others have gone their way', async () => {
    const plan = faultPlan({ kind: 'delayed-landing', method: 'create', nth: 0 });
    const { store, objects } = storeUnder(plan);
    await expect(store.create(KEY, Buffer.from('late'))).rejects.toThrow(Outage);
    expect(await store.exists(KEY)).toBe(false);
    expect(await plan.land()).toEqual([{ status: 'fulfilled', value: 'created' }]);
    expect(`${Buffer.from(objects.get(KEY) ?? [])}`).toBe('late');
    expect(await plan.land()).toEqual([]);
  });

  it('lands on what is there by then', async () => {
    const plan = faultPlan({ kind: 'delayed-landing', method: 'create', nth: 0 });
    const { store, objects } = storeUnder(plan);
    await expect(store.create(KEY, Buffer.from('late'))).rejects.toThrow(Outage);
    await store.create(KEY, Buffer.from('early'));
    expect(await plan.land()).toEqual([{ status: 'fulfilled', value: 'exists' }]);
    expect(`${Buffer.from(objects.get(KEY) ?? [])}`).toBe('early');
  });
});
