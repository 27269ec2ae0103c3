import type { Logger } from 'pino';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RequestContext } from './request-context.ts';

/** What is counted and logged of each request: patterns and numbers, never bodies, cookies, tokens, ids or query values. */
export type Traffic = {
  /** A request is being answered from now on. */
  begin(): void;
  /** It was answered. One access line, one observation. */
  end(seen: { method: string; route: string; status: number; ms: number }, context: RequestContext): void;
  /** A command ended: `written`, `replayed` or the code of its refusal. */
  command(operation: string, outcome: string): void;
  /** A request was one too many for an allowance. */
  limited(policy: string): void;
};

/** Seconds; a command is a few milliseconds on the file store and some tens on an object store. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']);

/**
 * The metrics `http_request_duration_seconds`, `http_requests_in_flight`, `pixpax_commands_total` and `pixpax_rate_limited_total` in `registry`, and the
 * access log.
 * Nothing here can fail a request: a receipt may be durable already, and must be acknowledged.
 */
export const traffic = (registry: Registry, log: Logger): Traffic => {
  const registers = [registry];
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the head of a request to its answer',
    labelNames: ['route', 'method', 'status'],
    buckets: BUCKETS,
    registers,
  });
  const inFlight = new Gauge({ name: 'http_requests_in_flight', help: 'Requests being answered', registers });
  const commands = new Counter({
    name: 'pixpax_commands_total',
    help: 'Commands by outcome: written, replayed, or why not',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const limited = new Counter({
    name: 'pixpax_rate_limited_total',
    help: 'Requests answered 429, by the allowance that was used up',
    labelNames: ['policy'],
    registers,
  });
  return {
    begin: guarded(() => inFlight.inc()),
    end: guarded(({ method, route, status, ms }, { requestId, traceId }) => {
      inFlight.dec();
      const known = METHODS.has(method) ? method : 'other';
      durations.observe({ route, method: known, status: `${Math.floor(status / 100)}xx` }, ms / 1000);
      log.info({ requestId, traceId, method: known, route, status, ms: Math.round(ms * 100) / 100 }, 'request');
    }),
    command: guarded((operation, outcome) => commands.inc({ operation, outcome })),
    limited: guarded((policy) => limited.inc({ policy })),
  };
};

const guarded =
  <Args extends readonly unknown[]>(observe: (...args: Args) => void) =>
  (...args: Args): void => {
    try {
      observe(...args);
    } catch {
      // A full log disk is no reason to tell a client that its receipt failed.
    }
  };
