import { type KeyObject, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

// The ceiling: nothing but `node:crypto` verify over messages of a receipt's size, with as many keys as a ledger has in use at a time.
// `r||s` is the form that receipts have; `der`, with a bare KeyObject, is the form that Node 24 is quickest with.

type Order = { readonly messageBytes: number; readonly keys: number; readonly seconds: number; readonly form: 'r||s' | 'der' };
type Signed = { readonly message: Uint8Array; readonly signature: Uint8Array; readonly key: KeyObject };

const { messageBytes, keys, seconds, form } = workerData as Order;

const signedBy = (n: number): Signed[] => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = createPublicKey({ key: publicKey.export({ format: 'der', type: 'spki' }), format: 'der', type: 'spki' });
  const dsaEncoding = form === 'der' ? 'der' : 'ieee-p1363';
  return Array.from({ length: 50 }, (_, i) => {
    const message = Buffer.alloc(messageBytes, `${n} ${i} `);
    return { message, signature: sign('sha256', message, { key: privateKey, dsaEncoding }), key };
  });
};

const isTrue: (signed: Signed) => boolean =
  form === 'der'
    ? ({ message, signature, key }) => verify('sha256', message, key, signature)
    : ({ message, signature, key }) => verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);

const samples = Array.from({ length: keys }, (_, n) => signedBy(n)).flat();
if (!samples.every(isTrue)) throw new Error('a signature that does not verify');

parentPort?.once('message', () => {
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  let verified = 0;
  while (performance.now() - start < seconds * 1_000)
    for (const signed of samples) {
      isTrue(signed);
      verified += 1;
    }
  const { user, system } = process.threadCpuUsage(cpu);
  parentPort?.postMessage({
    perSecond: verified / ((performance.now() - start) / 1_000),
    cpuMicroseconds: (user + system) / verified,
  });
});
parentPort?.postMessage('ready');
