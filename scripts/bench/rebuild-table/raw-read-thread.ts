import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { zstdDecompressSync } from 'node:zlib';
import pMap from 'p-map';
import { type S3Credentials, type StoreLocation, openStore } from '../../../src/adapter/store-url.ts';
import { limits } from '../../../src/limits.ts';

// Reads the objects it is told of, as fast as the store lets it, and does nothing with them but unpack those that are packed.

export type RawReadOrder = { readonly location: StoreLocation; readonly credentials: S3Credentials | null };
/** Keys to read, and the number that the answer will have. */
export type RawReadAsk = { readonly id: number; readonly keys: readonly string[] };
export type RawRead = { readonly objects: number; readonly bytes: number };

const { location, credentials } = workerData as RawReadOrder;
const AT_ONCE = 64;
const room = Buffer.allocUnsafeSlow(limits.storedObjectBytes);

const readFile = (path: string): Buffer => {
  const descriptor = openSync(path, 'r');
  let at = 0;
  try {
    for (let read = -1; read !== 0; at += read) read = readSync(descriptor, room, at, room.length - at, null);
  } finally {
    closeSync(descriptor);
  }
  return room.subarray(0, at);
};

const sizeOf = (key: string, bytes: Uint8Array): number =>
  key.endsWith('.zst') ? zstdDecompressSync(bytes).length : bytes.length;

const readAll = async (keys: readonly string[]): Promise<RawRead> => {
  if (location.kind === 'file') {
    const root = location.directory;
    let bytes = 0;
    for (const key of keys) bytes += sizeOf(key, readFile(`${root}/${key}`));
    return { objects: keys.length, bytes };
  }
  const sizes = await pMap(keys, async (key) => sizeOf(key, (await (await bucket).read(key)) ?? new Uint8Array()), {
    concurrency: AT_ONCE,
  });
  return { objects: keys.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
};

const bucket = openStore(location, credentials, { readOnly: true });
parentPort?.on('message', ({ id, keys }: RawReadAsk) => {
  void readAll(keys).then((read) => parentPort?.postMessage({ id, ...read }));
});
