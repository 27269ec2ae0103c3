import { type KeyObject, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

// The ceiling: nothing but `node:crypto` verify, called in its fastest way (bare KeyObject, DER), over messages of a receipt's size, with
// as many keys as a ledger has in use at a time.

type Order = { readonly messageBytes: number; readonly keys: number; readonly seconds: number };
type Signed = { readonly message: Uint8Array; readonly signature: Uint8Array; readonly key: KeyObject };

const { messageBytes, keys, seconds } = workerData as Order;

const signedBy = (n: number): Signed[] => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = createPublicKey({ key: publicKey.export({ format: 'der', type: 'spki' }), format: 'der', type: 'spki' });
  return Array.from({ length: 50 }, (_, i) => {
    const message = Buffer.alloc(messageBytes, `${n} ${i} `);
    return { message, signature: sign('sha256', message, privateKey), key };
  });
};

const samples = Array.from({ length: keys }, (_, n) => signedBy(n)).flat();
for (const { message, signature, key } of samples)
  if (!verify('sha256', message, key, signature)) throw new Error('a signature that does not verify');

parentPort?.once('message', () => {
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  let verified = 0;
  while (performance.now() - start < seconds * 1_000)
    for (const { message, signature, key } of samples) {
      verify('sha256', message, key, signature);
      verified += 1;
    }
  const { user, system } = process.threadCpuUsage(cpu);
  parentPort?.postMessage({
    perSecond: verified / ((performance.now() - start) / 1_000),
    cpuMicroseconds: (user + system) / verified,
  });
});
parentPort?.postMessage('ready');
