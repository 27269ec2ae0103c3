/** How long a browser may remember that it may ask, in seconds. */
const PREFLIGHT_AGE = '600';
const EXPOSED = 'ETag, Location, Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id';
const TAKEN = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, traceparent';

/** Whether a browser says that the page that sent this is of an origin we do not trust. Programs send no `Origin`. */
export const isForeignCookieUse = (headers: Headers, origins: ReadonlySet<string>): boolean => {
  const origin = headers.get('origin');
  return origin !== null && !origins.has(origin);
};

/** Header fields that let a page of a trusted origin read the answer (Fetch, CORS protocol); none for other origins. */
export const crossOriginFields = (origin: string | null, origins: ReadonlySet<string>): Readonly<Record<string, string>> => {
  if (origin === null || !origins.has(origin)) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': EXPOSED,
  };
};

/** As `crossOriginFields`, for the question before a request. */
export const preflightFields = (
  origin: string | null,
  origins: ReadonlySet<string>,
  methods: string,
): Readonly<Record<string, string>> => {
  const fields = crossOriginFields(origin, origins);
  return Object.keys(fields).length === 0
    ? {}
    : {
        ...fields,
        'Access-Control-Allow-Methods': methods,
        'Access-Control-Allow-Headers': TAKEN,
        'Access-Control-Max-Age': PREFLIGHT_AGE,
      };
};
