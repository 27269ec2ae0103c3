import type { Logger } from 'pino';
import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { Notify } from '../port/notice.ts';
import type { NoteQuarantined } from '../port/quarantine.ts';
import { instantOf } from '../receipt/ids.ts';

type Observing = {
  readonly note: NoteQuarantined;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Logger, 'warn'>;
};

/**
 * Passes notices on, and has the streams among them that the store stops written down: beside the command that met one, which waits for nothing.
 * However many commands meet a stream, it is written now and then only.
 */
export const quarantining = (notify: Notify, { note, clock, log }: Observing): Notify => {
  const notedMs = new Map<string, number>();
  return (notice) => {
    notify(notice);
    const { code, stream, fault } = notice;
    // A projection that holds another receipt than the store is wrong itself, and not the store.
    if (code !== 'ledger-invalid' || fault === undefined || fault.code === 'projection-different') return;
    const now = clock.now();
    if (now - (notedMs.get(stream) ?? Number.NEGATIVE_INFINITY) < limits.quarantineNoteMs) return;
    if (notedMs.size >= limits.rememberedStreams) notedMs.clear();
    notedMs.set(stream, now);
    // When this fails, or we die before it is done, the next command that meets the stream writes it.
    note(stream, fault, instantOf(now)).catch((error: unknown) => {
      notedMs.delete(stream);
      log.warn({ err: error, stream }, 'a stopped stream could not be written down');
    });
  };
};
