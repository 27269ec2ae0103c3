import { expect, it } from 'vitest';
import { faultPlan, withFaults } from './faults.ts';
import { memorySealer } from './sealer.ts';

const [CONTEXT, SECRET] = ['a/b', Buffer.from('seed')];

it('opens in another run what it sealed in this one', async () => {
  // Sealed once and written down: a changed key or form would make every fixture unreadable.
  const sealed = 'memory:v1:k0DLum8ADlv_BbSHI0ojxzrixlJyfFQBMnfpspk-xMA';
  expect(Buffer.from(await memorySealer().unseal(CONTEXT, sealed)).toString()).toBe('seed');
});

it('can be made to fail, as a part of the signer', async () => {
  const plan = faultPlan({ kind: 'error', nth: 1, method: 'seal' });
  const sealer = withFaults(memorySealer(), plan, 'signer');
  const sealed = await sealer.seal(CONTEXT, SECRET);
  await expect(sealer.seal(CONTEXT, SECRET)).rejects.toMatchObject({ dependency: 'signer', code: 'signer-unavailable' });
  expect(Buffer.from(await sealer.unseal(CONTEXT, sealed))).toEqual(SECRET);
  expect(plan.calls.map(({ method }) => method)).toEqual(['seal', 'seal', 'unseal']);
});
