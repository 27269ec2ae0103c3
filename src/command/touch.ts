import { limits } from '../limits.ts';
import { prefixOf } from '../receipt/key-path.ts';
import type { Stream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { catchUp, streamsBehind } from './catch-up.ts';
import type { AppendRefusal } from './ledger-commands.ts';
import type { CommandPorts } from './ports.ts';
import type { StreamMemory } from './stream-memory.ts';

/**
 * First touch: catches up the stream, its account's and the operator's, unless this process has done so (and lately, for those that
 * authority rests on). A wiped Postgres heals by use.
 * Refuses `stream-stopped` when what the store holds does not verify. Throws `Outage`.
 */
export const touchStreams = async (
  parts: CommandPorts & { readonly memory: StreamMemory },
  stream: Stream,
): Promise<Result<void, AppendRefusal>> => {
  for (const each of streamsBehind(stream)) {
    const prefix = prefixOf(each);
    // Its own position is decided by the create; what others may do here is not, and must not grow old.
    const withinMs = prefix === prefixOf(stream) ? Number.POSITIVE_INFINITY : limits.authorityTrustMs;
    if (parts.memory.knows(prefix, withinMs)) continue;
    const caughtUp = await catchUp(parts, each);
    if (!caughtUp.ok) {
      const { fault } = caughtUp.error;
      parts.notify({ level: 'alarm', code: 'ledger-invalid', stream: prefix, detail: `${fault.code}: ${fault.detail}` });
      return err({ code: 'stream-stopped', detail: 'a stored receipt of this stream does not verify; an operator must look' });
    }
    const { head, applied } = caughtUp.value;
    const stillTrusted = head !== null && parts.memory.trusts(prefix, head);
    parts.memory.remember(prefix, head, applied > 0 || stillTrusted);
  }
  return ok(undefined);
};
