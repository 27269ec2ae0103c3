import type { Clock } from '../port/clock.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import { type Result, err, ok } from '../result.ts';
import { type FileStoreOptions, openFileStore } from './file/receipt-store.ts';

/** Where receipts are kept. */
export type StoreLocation =
  | { readonly kind: 'file'; readonly directory: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** `https://host[:port]`, or null for Amazon's own. */
      readonly endpoint: string | null;
      readonly region: string;
      readonly pathStyle: boolean;
    };

/** `problem` says what is wrong and what to write instead. It never repeats the text, which may hold a secret by mistake. */
export type MalformedStoreUrl = { readonly code: 'malformed-store-url'; readonly problem: string };

/** The two keys of S3; null lets the SDK look for credentials by itself (environment, profile, role). */
export type S3Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

/**
 * Reads `fs:./data/receipts`, `fs:/abs`, a bare directory path, or
 * `s3://bucket?endpoint=https://…&region=…&pathStyle=true`. Defaults of S3: region `us-east-1`; path style whenever there
 * is an endpoint. Errors: `malformed-store-url`.
 */
export const parseStoreUrl = (text: string): Result<StoreLocation, MalformedStoreUrl> => {
  if (text.trim() === '') return malformed('it is empty: write fs:./directory or s3://bucket');
  if (text.includes('\0')) return malformed('it holds a NUL character');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return ok({ kind: 'file', directory: text });
    case 'fs':
      return parseFileUrl(text.slice('fs:'.length));
    case 's3':
      return parseS3Url(text);
    default:
      return malformed(
        `${scheme}: is not a kind of store: write fs:./directory or s3://bucket (a directory with a colon: ./name)`,
      );
  }
};

/** Opens the store at a location. Throws `Outage` when a directory cannot be used; a bucket is first asked by the first call. */
export const openStore = async (
  location: StoreLocation,
  credentials: S3Credentials | null,
  options: FileStoreOptions & { readonly clock?: Clock } = {},
): Promise<ReceiptStore> => {
  if (location.kind === 'file') return openFileStore(location.directory, options);
  const { bucket, endpoint, region, pathStyle } = location;
  // The client of S3 takes longer to load than a few thousand receipts to verify, and a directory has no use for it.
  const { openS3Store } = await import('./s3/receipt-store.ts');
  return openS3Store(
    { bucket, endpoint: endpoint ?? undefined, region, forcePathStyle: pathStyle, ...credentials },
    options.clock,
  );
};

const malformed = (problem: string): Result<never, MalformedStoreUrl> => err({ code: 'malformed-store-url', problem });

const parseFileUrl = (directory: string): Result<StoreLocation, MalformedStoreUrl> => {
  if (directory === '') return malformed('fs: needs a directory, such as fs:./data/receipts');
  if (directory.startsWith('//')) return malformed('fs: has no host: write fs:/absolute/path or fs:./relative/path');
  return ok({ kind: 'file', directory });
};

/** Names that every S3 service takes (Amazon S3 User Guide, "General purpose bucket naming rules"). */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z0-9][a-z0-9-]{0,62}$/;
const PARAMETERS: ReadonlySet<string> = new Set(['endpoint', 'region', 'pathStyle']);

const parseS3Url = (text: string): Result<StoreLocation, MalformedStoreUrl> => {
  const url = URL.parse(text);
  if (url === null || !text.slice('s3:'.length).startsWith('//'))
    return malformed('write s3://bucket?endpoint=https://host&region=name');
  if (url.username !== '' || url.password !== '')
    return malformed('credentials do not belong in it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  if (url.pathname !== '' && url.pathname !== '/')
    return malformed('a ledger has a bucket of its own: there can be no path after it');
  if (url.hash !== '' || !BUCKET.test(url.host)) return malformed('the bucket must be 3 to 63 of a-z 0-9 . -');
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.has(name)) return malformed(`it knows endpoint, region and pathStyle, not ${JSON.stringify(name)}`);
    if (url.searchParams.getAll(name).length > 1) return malformed(`${name} is given more than once`);
  }
  return parseS3Parameters(url.host, url.searchParams);
};

const parseS3Parameters = (bucket: string, parameters: URLSearchParams): Result<StoreLocation, MalformedStoreUrl> => {
  const region = parameters.get('region') ?? 'us-east-1';
  if (!REGION.test(region)) return malformed('region must be a name such as fra1 or us-east-1');
  const style = parameters.get('pathStyle');
  if (style !== null && style !== 'true' && style !== 'false') return malformed('pathStyle must be true or false');
  const asked = parameters.get('endpoint');
  const endpoint = asked === null ? null : parseEndpoint(asked);
  if (asked !== null && endpoint === null)
    return malformed('endpoint must be https://host or http://host:port, with nothing after it');
  return ok({ kind: 's3', bucket, endpoint, region, pathStyle: style === null ? endpoint !== null : style === 'true' });
};

const parseEndpoint = (text: string): string | null => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  const plain = url.username === '' && url.password === '' && url.pathname === '/' && url.search === '' && url.hash === '';
  return plain ? url.origin : null;
};
