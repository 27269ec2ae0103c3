import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type S3StoreConfig, openS3Store } from '../../src/adapter/s3/receipt-store.ts';
import { parseStoreUrl } from '../../src/adapter/store-url.ts';
import { qualifyStore } from '../../src/command/qualify.ts';
import { systemClock } from '../../src/port/clock.ts';
import { describeReceiptStore } from './receipt-store.ts';

const configured = (): S3StoreConfig | null => {
  const { S3_TEST_URL: url, S3_TEST_ACCESS_KEY_ID: accessKeyId, S3_TEST_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (!url) return null;
  const location = parseStoreUrl(url);
  if (!location.ok) throw new Error(`S3_TEST_URL: ${location.error.problem}`);
  if (location.value.kind !== 's3') throw new Error('S3_TEST_URL must be s3://bucket?endpoint=…');
  const { bucket, endpoint, region, pathStyle } = location.value;
  return { bucket, endpoint: endpoint ?? undefined, region, forcePathStyle: pathStyle, accessKeyId, secretAccessKey };
};

const config = configured();
if (config) {
  const open = async () => {
    const store = openS3Store(config);
    return { store, cleanup: () => store.close() };
  };
  describeReceiptStore('S3', open, { races: 200, rivals: 32, objects: 1200 });

  describe('a store on S3 that is set up wrong', () => {
    it.each<[string, Partial<S3StoreConfig>, RegExp]>([
      ['a bucket that is not there', { bucket: `missing-${randomUUID()}` }, /NoSuchBucket.*create the bucket/],
      ['an unknown access key', { accessKeyId: 'UNKNOWN' }, /InvalidAccessKeyId.*AWS_ACCESS_KEY_ID/],
      ['a wrong secret', { secretAccessKey: 'correct-horse-battery-staple' }, /SignatureDoesNotMatch.*AWS_SECRET_ACCESS_KEY/],
    ])('names %s, whatever it is asked, and what to do', async (_, wrong, text) => {
      const store = openS3Store({ ...config, ...wrong });
      const key = 'qualification/wrong/x.json';
      const calls = [
        store.create(key, Buffer.from('x')),
        store.read(key),
        store.exists(key),
        store.list({ prefix: '', limit: 1 }),
        qualifyStore(store, systemClock, 'wrong'),
      ];
      for (const outcome of await Promise.allSettled(calls)) {
        const error: unknown = outcome.status === 'rejected' ? outcome.reason : null;
        expect(error).toMatchObject({ code: 'store-refused', message: expect.stringMatching(text) });
        expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/correct-horse|authorization|Signature=/i);
      }
      await store.close();
    });
  });
} else {
  describe('the receipt store contract on S3', () => {
    it.skip('needs S3_TEST_URL, S3_TEST_ACCESS_KEY_ID and S3_TEST_SECRET_ACCESS_KEY', () => undefined);
  });
}
