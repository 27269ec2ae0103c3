import { createHash, createPrivateKey } from 'node:crypto';
import { expect, it } from 'vitest';
import type { KeyName } from '../../port/signer.ts';
import { memorySigner } from './signer.ts';

it('makes the same key for the same name in every run', async () => {
  const [first, second] = [await memorySigner().createKey('pixpax-a-0'), await memorySigner().createKey('pixpax-a-0')];
  expect(first).toEqual(second);
  expect(createHash('sha256').update(first).digest('hex')).toBe(
    '770b3b4d8d6b264103054f3c787f9336ec61a97184461e70dc9f047567589687',
  );
});

it('does not know a key that was not made with its custody', async () => {
  const custody: Parameters<typeof memorySigner>[0] = new Map();
  await memorySigner(custody).createKey('pixpax-a-0');
  expect(await memorySigner(custody).sign('pixpax-a-0', Buffer.from('x'))).toHaveLength(64);
  await expect(memorySigner().sign('pixpax-a-0', Buffer.from('x'))).rejects.toMatchObject({ code: 'signer-refused' });
});

it('makes keys that are valid for any name', async () => {
  const custody = new Map<KeyName, ReturnType<typeof createPrivateKey>>();
  for (let i = 0; i < 300; i += 1) await memorySigner(custody).createKey(`pixpax-${i}`);
  for (const key of custody.values())
    expect(createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })).equals(key)).toBe(true);
});
