import { writeSync } from 'node:fs';
import { openFileStore } from '../../src/adapter/file/receipt-store.ts';

/**
 * `node creating-process.ts DIRECTORY NAME`: creates objects until it is killed, sixteen at a time, and prints each key only
 * after `create` has answered, with a write that is out of this process when it returns.
 */
const [directory = '', name = ''] = process.argv.slice(2);
const store = await openFileStore(directory);

const work = async (worker: number): Promise<never> => {
  for (let at = 0; ; at += 1) {
    const key = `${name}/${worker % 5}/events/${worker}-${at}.json`;
    const outcome = await store.create(key, Buffer.from(key.repeat(100)));
    if (outcome !== 'created') throw new Error(`${key}: ${outcome}`);
    writeSync(1, `${key}\n`);
  }
};

await Promise.all(Array.from({ length: 16 }, (_, worker) => work(worker)));
