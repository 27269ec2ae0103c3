import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import { type Notify, noticeCodes } from '../port/notice.ts';

/** Notices go to the log, by their level, and to the counter `ledger_notices_total{code}`, which alarms are set on. */
export const notifyBy = (log: Logger, metrics: Registry): Notify => {
  const counter = new Counter({
    name: 'ledger_notices_total',
    help: 'What an operator must hear of, by code (src/port/notice.ts)',
    labelNames: ['code'],
    registers: [metrics],
  });
  // A series that begins with its first notice would hide that notice from every rate.
  for (const code of noticeCodes) counter.inc({ code }, 0);
  return ({ level, code, stream, detail }) => {
    counter.inc({ code });
    if (level === 'alarm') log.error({ code, stream }, detail);
    else log.warn({ code, stream }, detail);
  };
};
