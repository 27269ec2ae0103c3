import type { Logger as GraphileLogger } from 'graphile-worker';
import type { Logger } from 'pino';
import { graphileWorker } from './library.ts';

/**
 * The library's log as lines of ours, a level lower: what it calls an error will be tried again. How jobs end is said
 * by whoever does them. Of what it adds only the error is kept, for it may add whole jobs.
 */
export const libraryLog = (log: Logger): GraphileLogger =>
  new graphileWorker.Logger(({ workerId }) => (level, message, meta) => {
    const fields = meta?.error instanceof Error ? { workerId, reason: meta.error.message } : { workerId };
    if (meta?.failure === true || meta?.success === true) log.debug(fields, message);
    else if (level === 'error') log.warn(fields, message);
    else if (level === 'warning') log.info(fields, message);
    else if (level === 'info') log.debug(fields, message);
    else log.trace(fields, message);
  });
