import pino, { type DestinationStream, type Logger } from 'pino';
import type { Config } from '../config.ts';
import { requestFields } from '../http/request-context.ts';
import { lineCensor, safeToLog, secretsOf } from './log-redaction.ts';

/**
 * The service's log: JSON lines, on stdout in production and on stderr beside the greeting otherwise. Secrets are kept out by never being passed in.
 * There are two more lines behind that one: of what is passed in, only what is safe to show is written (a library's error may carry a request with
 * its token), and of every line, whoever wrote it, the secrets that are known and what looks like one are taken out.
 */
export const openLog = (config: Config, destination: DestinationStream = standardStream(config)): Logger =>
  pino(
    {
      level: config.logLevel,
      mixin: requestFields,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (line) => safeToLog(line) as Record<string, unknown>,
        bindings: (bindings) => safeToLog(bindings) as Record<string, unknown>,
      },
      serializers: { err: (error: unknown) => safeToLog(error) }, // else pino shows all that is attached to it
      hooks: { streamWrite: lineCensor(secretsOf(config)) },
    },
    destination,
  );

/** Written in the background: a line a request would otherwise be a tenth of what a request costs. */
const standardStream = ({ production }: Config): DestinationStream => pino.destination({ dest: production ? 1 : 2, sync: false });
