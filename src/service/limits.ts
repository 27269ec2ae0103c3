import type { Logger } from 'pino';
import { Gauge, type Registry } from 'prom-client';
import { unlimited } from '../adapter/memory/limiter.ts';
import { openPool } from '../adapter/postgres/pool.ts';
import { openLimiter } from '../adapter/rate-limiter/limiter.ts';
import type { Config } from '../config.ts';
import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { Limiter } from '../port/limiter.ts';

type Wanted = {
  readonly config: Pick<Config, 'rateLimits'>;
  readonly databaseUrl: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Registry;
};

/** The limiter as configured. Whether its counts are shared is the metric `pixpax_limits_shared`, and a line of the log for each change. */
export const openLimits = ({ config, databaseUrl, clock, log, metrics }: Wanted): Limiter => {
  if (!config.rateLimits) {
    log.warn('RATE_LIMITS=off: whoever can reach this service may ask as often as they like');
    return unlimited;
  }
  const gauge = new Gauge({
    name: 'pixpax_limits_shared',
    help: '1: requests are counted by all processes together; 0: by each for itself, for Postgres does not count',
    registers: [metrics],
  });
  gauge.set(1);
  return openLimiter({
    database: openPool({
      url: databaseUrl,
      connections: limits.allowanceConnections,
      timeoutMs: limits.allowanceTimeoutMs,
    }),
    clock,
    onShared: (shared, reason) => {
      gauge.set(shared ? 1 : 0);
      if (shared) log.info('requests are counted by all processes together again');
      else log.warn({ reason: reason instanceof Error ? reason.message : 'unknown' }, 'each process counts requests for itself');
    },
  });
};
