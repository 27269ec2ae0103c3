import { Outage } from '../../port/outage.ts';

/** What we take from an SDK error. Its other members may hold request headers, so none of them travels on. */
export type S3Fault = { readonly name: string; readonly status: number | null; readonly message: string };

/** Where a request went, for error texts. */
export type S3Place = { readonly bucket: string; readonly description: string; readonly secretAccessKey?: string | undefined };

/** Takes an error of the SDK apart; null for a bug of ours, which must stay what it is. */
export const parseS3Fault = (error: unknown): S3Fault | null => {
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) return null;
  // Ceph's errors have a code and no text, which the SDK calls so.
  const message = error.message === 'UnknownError' ? '' : error.message;
  return { name: codeOf(error), status: statusOf(error), message };
};

/** Turns an error of the SDK into an `Outage` that says what to do, with no credential or header in it. */
export const s3Outage = (error: unknown, place: S3Place): unknown => {
  if (error instanceof Outage) return error;
  const fault = parseS3Fault(error);
  if (fault === null) return error;
  const secret = place.secretAccessKey;
  const clean = secret ? fault.message.replaceAll(secret, '***') : fault.message;
  const status = fault.status === null ? '' : ` (HTTP ${fault.status})`;
  const said = clean === '' ? '' : `: ${clean.slice(0, MESSAGE_CHARS)}`;
  const text = `${place.description}: ${fault.name}${status}${said}`;
  if (TIMEOUTS.has(fault.name)) return new Outage('store', 'deadline-exceeded', text);
  const advice = adviceFor(fault, place);
  return advice === null
    ? new Outage('store', 'store-unavailable', text)
    : new Outage('store', 'store-refused', `${text} — ${advice}`);
};

const MESSAGE_CHARS = 300;

const TIMEOUTS: ReadonlySet<string> = new Set(['TimeoutError', 'AbortError', 'ETIMEDOUT', 'RequestTimeout']);

/** By the code S3 gives, what only a person can set right. */
const ADVICE: Readonly<Record<string, string>> = {
  NoSuchBucket: 'create the bucket (unversioned, without Object Lock) or correct its name',
  InvalidAccessKeyId: 'the endpoint does not know this access key: check AWS_ACCESS_KEY_ID and the endpoint',
  SignatureDoesNotMatch: 'check AWS_SECRET_ACCESS_KEY and the region',
  RequestTimeTooSkewed: "set this machine's clock",
  ExpiredToken: 'the credentials have expired: renew them',
  InvalidToken: 'the session token is not valid: renew the credentials',
  AccessDenied: 'this credential needs ListBucket, GetObject and PutObject; on `qualification/*` also DeleteObject',
  AuthorizationHeaderMalformed: 'check the region',
  PermanentRedirect: 'the bucket is at another endpoint or in another region',
  CredentialsProviderError: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run under a role',
  NotImplemented: 'the store must support PutObject with `If-None-Match: *`',
};

const REFUSALS: ReadonlySet<number> = new Set([301, 307, 400, 401, 403, 405, 411, 501]);

const adviceFor = (fault: S3Fault, place: S3Place): string | null => {
  const known = ADVICE[fault.name];
  if (known) return known;
  return fault.status !== null && REFUSALS.has(fault.status)
    ? `check the credentials, their rights on bucket ${place.bucket}, the endpoint and the region`
    : null;
};

/** The operating system's code if there is one (the SDK calls ECONNRESET a "TimeoutError"); else S3's. */
const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code) ? error.code : error.name;

const statusOf = (error: Error): number | null => {
  const metadata: unknown = '$metadata' in error ? error.$metadata : null;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
};
