import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { openFileStore } from '../../../src/adapter/file/receipt-store.ts';
import { type S3Credentials, type StoreLocation, openStore, parseStoreUrl } from '../../../src/adapter/store-url.ts';
import { limits } from '../../../src/limits.ts';
import type { BenchPlace } from './bench-place.ts';

type Bucket = Extract<StoreLocation, { kind: 's3' }>;
export type BenchEndpoint = { readonly bucket: Bucket; readonly credentials: S3Credentials };

const PUTS_AT_ONCE = 64;
const ATTEMPTS = 5;
/** Written last: a bucket that holds it holds all of its ledger. */
const WHOLE = 'bench/whole.json';

/** The endpoint that the tests of S3 are given, or null. Throws Error for a URL that is none. */
export const endpointIn = (env: Readonly<Record<string, string | undefined>>): BenchEndpoint | null => {
  const { S3_TEST_URL: url, S3_TEST_ACCESS_KEY_ID: accessKeyId, S3_TEST_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!url || !accessKeyId || !secretAccessKey) return null;
  const parsed = parseStoreUrl(url);
  if (!parsed.ok || parsed.value.kind !== 's3') throw new Error('S3_TEST_URL must be s3://bucket?endpoint=…');
  return { bucket: parsed.value, credentials: { accessKeyId, secretAccessKey } };
};

/** The same ledger in a bucket of its own at the endpoint, copied there unless it is there whole. */
export const bucketPlace = async ({ bucket, credentials }: BenchEndpoint, from: BenchPlace): Promise<BenchPlace> => {
  const location = { ...bucket, bucket: `pixpax-bench-${from.receipts}` };
  const client = clientOf({ bucket: location, credentials });
  const place: BenchPlace = { ...from, store: 's3', location, credentials, env: environmentOf(location, credentials) };
  try {
    const isThere = await client.send(new HeadBucketCommand({ Bucket: location.bucket })).then(
      () => true,
      () => false,
    );
    if (!isThere) await client.send(new CreateBucketCommand({ Bucket: location.bucket }));
  } finally {
    client.destroy();
  }
  await copyInto(place, from);
  return place;
};

const copyInto = async ({ location, credentials, receipts }: BenchPlace, from: BenchPlace): Promise<void> => {
  if (from.location.kind !== 'file') throw new TypeError('copied from a directory only');
  const to = await openStore(location, credentials);
  const source = await openFileStore(from.location.directory, { readOnly: true });
  try {
    if (await to.exists(WHOLE)) return;
    process.stderr.write(`copying ${receipts} receipts into ${to.description} …\n`);
    const copy = async (key: string): Promise<void> => {
      const bytes = (await source.read(key)) ?? new Uint8Array();
      for (let attempt = 1; ; attempt++) {
        const outcome = await to.create(key, bytes).catch((error: unknown) => {
          if (attempt === ATTEMPTS) throw error;
          return 'busy';
        });
        if (outcome !== 'busy') return;
      }
    };
    for (let after: string | undefined; ; ) {
      const page = await source.list({
        prefix: '',
        limit: limits.listPageKeys,
        ...(after === undefined ? {} : { startAfter: after }),
      });
      // Segments are made anew: how long that takes is part of what is measured.
      await pMap(
        page.filter((key) => !key.startsWith('segments/')),
        copy,
        { concurrency: PUTS_AT_ONCE },
      );
      after = page.at(-1);
      if (after === undefined) break;
    }
    await to.create(WHOLE, Buffer.from('{}'));
  } finally {
    await source.close();
    await to.close();
  }
};

/** Deletes the bucket and everything in it. */
export const removeBucket = async ({ location, credentials }: BenchPlace): Promise<void> => {
  if (location.kind !== 's3' || credentials === null) return;
  await removeBelow({ bucket: location, credentials }, '');
  const client = clientOf({ bucket: location, credentials });
  await client.send(new DeleteBucketCommand({ Bucket: location.bucket })).finally(() => client.destroy());
};

/** Deletes every object whose key begins like this: of a bucket of the bench's own, never of a ledger that anybody needs. */
export const removeBelow = async (endpoint: BenchEndpoint, prefix: string): Promise<void> => {
  const client = clientOf(endpoint);
  const Bucket = endpoint.bucket.bucket;
  try {
    for (;;) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
      if (Contents.length === 0) return;
      const Objects = Contents.map(({ Key = '' }) => ({ Key }));
      await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    }
  } finally {
    client.destroy();
  }
};

const clientOf = ({ bucket, credentials }: BenchEndpoint): S3Client =>
  new S3Client({
    region: bucket.region,
    ...(bucket.endpoint === null ? {} : { endpoint: bucket.endpoint }),
    forcePathStyle: bucket.pathStyle,
    credentials,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });

const environmentOf = ({ bucket, endpoint, region, pathStyle }: Bucket, credentials: S3Credentials) => {
  const parameters = new URLSearchParams({ ...(endpoint === null ? {} : { endpoint }), region, pathStyle: String(pathStyle) });
  return {
    RECEIPT_STORE: `s3://${bucket}?${parameters.toString()}`,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
};
