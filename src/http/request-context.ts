import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** What ties answer, log lines and the caller's trace together. */
export type RequestContext = {
  /** The client's `X-Request-Id` when it is fit to be logged, else a new one. */
  readonly requestId: string;
  /** 32 hex: the trace of the client's `traceparent` (W3C Trace Context), else a new one. */
  readonly traceId: string;
};

const REQUEST_ID = /^[A-Za-z0-9._:/+=@-]{1,128}$/;
/** version-traceid-parentid-flags; versions after 00 may append more, and ff is none (W3C Trace Context §3.2). */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|(?<!^00.*)-)/;

/** Reads both header fields; what is malformed is replaced, never refused. */
export const requestContextOf = (requestIdField: string | null, traceparent: string | null): RequestContext => {
  const asked = requestIdField !== null && REQUEST_ID.test(requestIdField) ? requestIdField : null;
  const traceId = (traceparent === null ? null : TRACEPARENT.exec(traceparent)?.[1]) ?? null;
  if (asked !== null && traceId !== null) return { requestId: asked, traceId };
  const fresh = randomUUID();
  return { requestId: asked ?? fresh, traceId: traceId ?? fresh.replaceAll('-', '') };
};

const current = new AsyncLocalStorage<RequestContext>();

/** Runs `work` so that whatever it logs, however deep, can be told which request it was for. */
export const withRequestContext = <T>(context: RequestContext, work: () => T): T => current.run(context, work);

/** For pino's `mixin`, which writes into what it gets: `requestId` and `traceId` of the request being answered; nothing outside of one. */
export const requestFields = (): Partial<RequestContext> => ({ ...current.getStore() });
