import { prefixOf } from '../receipt/key-path.ts';
import type { Stream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { catchUp, streamsBehind } from './catch-up.ts';
import type { AppendRefusal } from './ledger-commands.ts';
import type { CommandPorts } from './ports.ts';
import type { StreamMemory } from './stream-memory.ts';

/**
 * First touch: catches up the stream, its account's and the operator's, unless this process has done so. A wiped Postgres heals by use.
 * Refuses `stream-stopped` when what the store holds does not verify. Throws `Outage`.
 */
export const touchStreams = async (
  parts: CommandPorts & { readonly memory: StreamMemory },
  stream: Stream,
): Promise<Result<void, AppendRefusal>> => {
  for (const each of streamsBehind(stream)) {
    const prefix = prefixOf(each);
    if (parts.memory.knows(prefix)) continue;
    const caughtUp = await catchUp(parts, each);
    if (!caughtUp.ok) {
      const { fault } = caughtUp.error;
      parts.notify({ level: 'alarm', code: 'ledger-invalid', stream: prefix, detail: `${fault.code}: ${fault.detail}` });
      return err({ code: 'stream-stopped', detail: 'a stored receipt of this stream does not verify; an operator must look' });
    }
    parts.memory.remember(prefix, caughtUp.value.head, caughtUp.value.applied > 0);
  }
  return ok(undefined);
};
