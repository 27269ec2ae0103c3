import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Outage } from '../../port/outage.ts';
import type { ReceiptStore } from '../../port/receipt-store.ts';
import { openFileStore } from './receipt-store.ts';

/**
 * A process whose file store meets real trouble: `node file-fault.fixture.ts TROUBLE DIRECTORY`. Prints, as JSON, what creates
 * answered before, during and after the trouble, and whether every object that was acknowledged reads back whole.
 */
const [trouble, directory = ''] = process.argv.slice(2);
const body = Buffer.alloc(6000, 'receipt ');
const acknowledged: string[] = [];

const attempt = async (store: ReceiptStore, key: string): Promise<string> => {
  try {
    const outcome = await store.create(key, body);
    acknowledged.push(key);
    return outcome;
  } catch (error) {
    return error instanceof Outage ? `${error.code}: ${error.message}` : `unexpected: ${error}`;
  }
};

const filler = join(directory, 'filler');

/** Causes the trouble, and answers how to end it. */
const strike = (): (() => void) => {
  switch (trouble) {
    case 'full':
      fillUp();
      return () => rmSync(filler);
    case 'read-only':
      execFileSync('mount', ['-o', 'remount,ro', directory]);
      return () => execFileSync('mount', ['-o', 'remount,rw', directory]);
    case 'forbidden':
      chmodSync(join(directory, 'receipts/.tmp'), 0o555);
      return () => chmodSync(join(directory, 'receipts/.tmp'), 0o755);
    default:
      return () => undefined;
  }
};

const fillUp = (): void => {
  try {
    writeFileSync(filler, Buffer.alloc(16 * 1024 * 1024));
  } catch {
    // Now it is full.
  }
};

if (trouble === 'forbidden' && process.getuid?.() === 0) process.setuid?.(65_534);
const store = await openFileStore(join(directory, 'receipts'));
const before = await attempt(store, 'a/before.json');
const end = strike();
const rivals = trouble === 'too-many-files' ? 500 : 8;
const during = await Promise.all(Array.from({ length: rivals }, (_, at) => attempt(store, `a/during-${at}.json`)));
end();
const after = await attempt(store, 'a/during-0.json');

const listed = await store.list({ prefix: '', limit: 1000 });
const whole: boolean[] = [];
for (const key of listed) whole.push(body.equals((await store.read(key)) ?? Buffer.alloc(0)));
const kept = acknowledged.every((key) => listed.includes(key));
await store.close();
console.log(JSON.stringify({ before, during: [...new Set(during)], after, whole: whole.every(Boolean), kept }));
