import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore, parseStoreUrl } from './store-url.ts';

const s3 = { kind: 's3', bucket: 'receipts', endpoint: null, region: 'us-east-1', pathStyle: false };

it.each([
  ['fs:./data/receipts', { kind: 'file', directory: './data/receipts' }],
  ['fs:/var/lib/with space', { kind: 'file', directory: '/var/lib/with space' }],
  ['fs:receipts', { kind: 'file', directory: 'receipts' }],
  ['FS:/abs', { kind: 'file', directory: '/abs' }],
  ['./backup:2024', { kind: 'file', directory: './backup:2024' }],
  ['/backup', { kind: 'file', directory: '/backup' }],
  ['backup', { kind: 'file', directory: 'backup' }],
  ['s3://receipts', s3],
  ['s3://receipts/', s3],
  ['s3://receipts?region=eu-central-1', { ...s3, region: 'eu-central-1' }],
  [
    's3://receipts?endpoint=https://fra1.digitaloceanspaces.com&region=fra1',
    { ...s3, endpoint: 'https://fra1.digitaloceanspaces.com', region: 'fra1', pathStyle: true },
  ],
  [
    's3://receipts?endpoint=http%3A%2F%2F127.0.0.1%3A17480%2F&pathStyle=false',
    { ...s3, endpoint: 'http://127.0.0.1:17480', pathStyle: false },
  ],
  ['s3://my.bucket-1?pathStyle=true', { ...s3, bucket: 'my.bucket-1', pathStyle: true }],
])('reads %s', (text, expected) => {
  expect(parseStoreUrl(text)).toEqual({ ok: true, value: expected });
});

it.each([
  ['', /it is empty/],
  ['   ', /it is empty/],
  ['fs:', /needs a directory/],
  ['fs://host/dir', /has no host/],
  ['a\0b', /NUL/],
  ['https://bucket.example', /https: is not a kind of store/],
  ['backup:2024', /\.\/name/],
  ['s3:bucket', /write s3:\/\/bucket/],
  ['s3://', /write s3|bucket must be/],
  ['s3://Bucket_1', /bucket must be/],
  ['s3://ab', /bucket must be/],
  ['s3://bucket:80', /bucket must be/],
  ['s3://bucket#x', /bucket must be/],
  ['s3://AKIA:hunter2@bucket', /credentials do not belong/],
  ['s3://bucket/some/path', /no path/],
  ['s3://bucket?endpont=https://x', /not "endpont"/],
  ['s3://bucket?region=a&region=b', /more than once/],
  ['s3://bucket?region=', /region must be/],
  ['s3://bucket?pathStyle=yes', /pathStyle must be/],
  ['s3://bucket?endpoint=fra1.example.com', /endpoint must be/],
  ['s3://bucket?endpoint=ftp://x', /endpoint must be/],
  ['s3://bucket?endpoint=https://u:hunter2@x', /endpoint must be/],
  ['s3://bucket?endpoint=https://x/path', /endpoint must be/],
])('refuses %j and says what to write', (text, problem) => {
  const parsed = parseStoreUrl(text);
  expect(parsed).toEqual({ ok: false, error: { code: 'malformed-store-url', problem: expect.stringMatching(problem) } });
  expect(JSON.stringify(parsed)).not.toContain('hunter2');
});

it('opens what it read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store url '));
  const files = await openStore({ kind: 'file', directory }, null, { readOnly: true });
  expect(files.description).toBe(`fs:${directory}`);
  const endpoint = 'https://fra1.example.com';
  const bucket = await openStore(
    { kind: 's3', bucket: 'receipts', endpoint, region: 'fra1', pathStyle: true },
    { accessKeyId: 'AK', secretAccessKey: 'hunter2' },
  );
  expect(bucket.description).toBe('s3://receipts at https://fra1.example.com');
  await Promise.all([files.close(), bucket.close()]);
  await rm(directory, { recursive: true });
});
