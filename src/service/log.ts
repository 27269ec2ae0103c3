import pino, { type Logger } from 'pino';
import type { Config } from '../config.ts';
import { requestFields } from '../http/request-context.ts';

/**
 * The service's log: JSON lines, on stdout in production and on stderr beside the greeting otherwise. Secrets are kept out by never being passed in; the paths below are a second line for what a
 * library might attach to an error.
 */
export const openLog = ({ logLevel, production }: Pick<Config, 'logLevel' | 'production'>): Logger =>
  pino(
    {
      level: logLevel,
      mixin: requestFields,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          '*.authorization',
          '*.cookie',
          '*.password',
          '*.token',
          '*.secret',
          'err.config',
          'err.$response',
          'err.cause.config',
        ],
        censor: '[redacted]',
      },
    },
    // Written in the background: a line a request would otherwise be a tenth of what a request costs.
    pino.destination({ dest: production ? 1 : 2, sync: false }),
  );
