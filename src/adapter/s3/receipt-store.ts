import { randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { limits } from '../../limits.ts';
import { type Clock, systemClock, withDeadline } from '../../port/clock.ts';
import { compareKeys } from '../../port/key-order.ts';
import { Outage } from '../../port/outage.ts';
import type { CreateOutcome, ListRequest, ReceiptStore, TaggedKey } from '../../port/receipt-store.ts';
import { requireDerivedKey, requireDiscardableKey, requireKey, requirePageLimit } from '../object-key.ts';
import { turnstile } from '../turnstile.ts';
import { parseS3Fault, s3Outage } from './store-fault.ts';

export type S3StoreConfig = {
  readonly bucket: string;
  /** `https://host[:port]`; without it, Amazon's own for the region. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Without both keys the SDK looks for credentials by itself: environment, profile, role of the machine or pod. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  /** `endpoint/bucket/key` rather than `bucket.endpoint/key`. Default: whenever an endpoint is given. */
  readonly forcePathStyle?: boolean | undefined;
};

/**
 * The receipt store in a bucket of an S3-compatible service: Ceph RGW, DigitalOcean Spaces, Amazon S3. The bucket must be
 * unversioned and without Object Lock. `create` is one PutObject with `If-None-Match: *`, sent once and never repeated; reads
 * and lists are tried `limits.s3ReadAttempts` times. Nothing is sent before the first call.
 */
export const openS3Store = (config: S3StoreConfig, clock: Clock = systemClock): ReceiptStore => {
  const Bucket = config.bucket;
  const { description, writer, reader, call, close } = connect(config, clock);

  const read = (Key: string): Promise<Uint8Array | null> =>
    call(async (abortSignal) => {
      const found = await reader.send(new GetObjectCommand({ Bucket, Key }), { abortSignal }).catch(nullIf('NoSuchKey'));
      if (found === null) return null;
      if ((found.ContentLength ?? 0) > limits.storedObjectBytes)
        throw new Outage(
          'store',
          'store-refused',
          `${Key} has ${found.ContentLength} bytes: nothing the ledger wrote is that large`,
        );
      return (await found.Body?.transformToByteArray()) ?? new Uint8Array();
    });

  const survey = async (request: ListRequest): Promise<readonly TaggedKey[]> => {
    requirePageLimit(request.limit);
    return call((abortSignal) => listTagged(reader, Bucket, request, abortSignal));
  };

  return {
    description,
    create: async (key, bytes) => {
      requireKey(key);
      const put = { Bucket, Key: key, Body: asBuffer(bytes), IfNoneMatch: '*', ContentType: 'application/json' };
      return call((abortSignal) =>
        writer.send(new PutObjectCommand(put), { abortSignal }).then((): CreateOutcome => 'created', refusedCreate),
      );
    },
    replaceDerived: async (key, bytes) => {
      requireDerivedKey(key);
      const put = { Bucket, Key: key, Body: asBuffer(bytes), ContentType: 'application/json' };
      // A put that lands after its time puts an older derived object over a newer one: both are good.
      await call((abortSignal) => writer.send(new PutObjectCommand(put), { abortSignal }));
    },
    read: async (key) => {
      requireKey(key);
      return read(key);
    },
    exists: async (key) => {
      requireKey(key);
      const head = new HeadObjectCommand({ Bucket, Key: key });
      const found = await call((abortSignal) => reader.send(head, { abortSignal }).catch(nullIfNoReason));
      // HEAD has no body, so a missing bucket looks like a missing object. Absence raises alarms: a GET tells which it is.
      return found !== null || (await read(key)) !== null;
    },
    list: async (request) => (await survey(request)).map(({ key }) => key),
    survey,
    discard: async (key) => {
      requireDiscardableKey(key);
      await call((abortSignal) => reader.send(new DeleteObjectCommand({ Bucket, Key: key }), { abortSignal }));
    },
    close: async () => close(),
  };
};

type Connection = {
  readonly description: string;
  /** Sends once. */
  readonly writer: S3Client;
  /** Sends up to `limits.s3ReadAttempts` times, over the same sockets. */
  readonly reader: S3Client;
  /** Ends the socket too when the time is up; a PUT so ended may still land, as the port's contract says. */
  readonly call: <T>(work: (abortSignal: AbortSignal) => Promise<T>) => Promise<T>;
  readonly close: () => void;
};

const connect = (config: S3StoreConfig, clock: Clock): Connection => {
  const writer = new S3Client(clientConfig(config));
  const { requestHandler } = writer.config;
  const reader = new S3Client({ ...clientConfig(config), maxAttempts: limits.s3ReadAttempts, requestHandler });
  const description = `s3://${config.bucket} at ${config.endpoint ?? `Amazon S3 ${config.region}`}`;
  const place = { bucket: config.bucket, description, secretAccessKey: config.secretAccessKey };
  // As many as there are sockets: the SDK's timers run while a request waits for one, and would call a busy client a dead server.
  const inTurn = turnstile(limits.s3Sockets);
  let closed = false;
  return {
    description,
    writer,
    reader,
    call: async (work) => {
      if (closed) throw new Outage('store', 'store-unavailable', `${description} was closed`);
      const over = new AbortController();
      try {
        return await withDeadline(clock, 'store', limits.storeTimeoutMs, () =>
          inTurn(async () => {
            // Nobody waits for it any more, so it is not sent: a create that lands late is the hardest outcome to deal with.
            over.signal.throwIfAborted();
            return work(over.signal);
          }),
        );
      } catch (error) {
        over.abort();
        throw s3Outage(error, place);
      }
    },
    close: () => {
      closed = true;
      requestHandler.destroy?.();
    },
  };
};

const clientConfig = ({ endpoint, region, accessKeyId, secretAccessKey, forcePathStyle }: S3StoreConfig): S3ClientConfig => ({
  region,
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(accessKeyId === undefined || secretAccessKey === undefined ? {} : { credentials: { accessKeyId, secretAccessKey } }),
  forcePathStyle: forcePathStyle ?? endpoint !== undefined,
  // An unknown outcome is the append protocol's to resolve, with identical bytes; a silent second PUT would answer 412 for our
  // own object.
  maxAttempts: 1,
  retryMode: 'standard',
  // Only where S3 demands it: Ceph and Spaces do not know the newer checksum headers. The signature covers the body's SHA-256.
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  followRegionRedirects: false,
  requestHandler: {
    connectionTimeout: limits.s3ConnectTimeoutMs,
    requestTimeout: limits.storeTimeoutMs,
    // Without this the SDK only logs that the time is up.
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: limits.s3Sockets },
    httpsAgent: { keepAlive: true, maxSockets: limits.s3Sockets },
  },
});

/**
 * Pages by the last key seen, never by a continuation token, so a restart can go on where another process was. A server may
 * send fewer keys than asked for although there are more; the port's caller may not see that.
 */
const listTagged = async (
  client: S3Client,
  Bucket: string,
  request: ListRequest,
  abortSignal: AbortSignal,
): Promise<readonly TaggedKey[]> => {
  const keys: TaggedKey[] = [];
  let after = request.startAfter;
  for (;;) {
    const command = new ListObjectsV2Command({
      Bucket,
      Prefix: request.prefix,
      MaxKeys: request.limit - keys.length,
      ...(after === undefined || after === '' ? {} : { StartAfter: after }),
    });
    const page = await client.send(command, { abortSignal });
    for (const { Key, ETag, Size } of page.Contents ?? []) {
      // A server that repeats or misorders keys would make us loop for ever or miss receipts.
      if (Key === undefined || (after !== undefined && compareKeys(Key, after) <= 0) || !Key.startsWith(request.prefix))
        throw new Outage('store', 'store-refused', `the listing of bucket ${Bucket} is out of order at ${JSON.stringify(Key)}`);
      keys.push({ key: Key, tag: ETag === undefined ? randomUUID() : `${ETag} ${Size}` });
      after = Key;
    }
    if (!page.IsTruncated || keys.length >= request.limit) return keys;
    if ((page.Contents ?? []).length === 0)
      throw new Outage(
        'store',
        'store-unavailable',
        `the listing of bucket ${Bucket} stopped advancing after ${JSON.stringify(after)}`,
      );
  }
};

/** 412: the key is taken. 409: somebody else's create of the same key is in progress; nothing was changed. */
const refusedCreate = (error: unknown): CreateOutcome => {
  const status = parseS3Fault(error)?.status;
  if (status === 412) return 'exists';
  if (status === 409) return 'busy';
  throw error;
};

/** A refusal of HEAD says nothing but its number. */
const nullIfNoReason = (error: unknown): null => {
  const status = parseS3Fault(error)?.status ?? null;
  if (status !== null && status >= 300 && status < 500) return null;
  throw error;
};

const nullIf =
  (name: string) =>
  (error: unknown): null => {
    if (parseS3Fault(error)?.name === name) return null;
    throw error;
  };

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
