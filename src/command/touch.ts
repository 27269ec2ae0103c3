import { limits } from '../limits.ts';
import type { AccountId } from '../receipt/ids.ts';
import { prefixOf } from '../receipt/key-path.ts';
import type { Stream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { catchUp, streamsBehind } from './catch-up.ts';
import type { AppendRefusal } from './ledger-commands.ts';
import type { CommandPorts } from './ports.ts';
import type { StreamMemory } from './stream-memory.ts';

/**
 * First touch: catches up the stream, its account's, the operator's and those of the accounts it rests on, unless this process has done so (and lately, for those that
 * authority rests on). A wiped Postgres heals by use.
 * Refuses `stream-stopped` when what the store holds does not verify. Throws `Outage`.
 */
export const touchStreams = async (
  parts: CommandPorts & { readonly memory: StreamMemory },
  stream: Stream,
  restsOn: readonly AccountId[] = [],
): Promise<Result<void, AppendRefusal>> => {
  for (const each of streamsBehind(stream, restsOn)) {
    // Its own position is decided by the create; what others may do here is not, and must not grow old.
    const isOwn = prefixOf(each) === prefixOf(stream);
    const touched = await touchOne(parts, each, isOwn ? Number.POSITIVE_INFINITY : limits.authorityTrustMs);
    if (!touched.ok) return touched;
  }
  return ok(undefined);
};

/** Catches one stream up, unless this process has done so within `withinMs`. As `touchStreams`. */
export const touchOne = async (
  parts: CommandPorts & { readonly memory: StreamMemory },
  stream: Stream,
  withinMs: number,
): Promise<Result<void, AppendRefusal>> => {
  const prefix = prefixOf(stream);
  if (parts.memory.knows(prefix, withinMs)) return ok(undefined);
  const caughtUp = await catchUp(parts, stream);
  if (!caughtUp.ok) {
    const { fault, stream: broken } = caughtUp.error;
    const detail = `${fault.code}: ${fault.detail}`;
    parts.notify({ level: 'alarm', code: 'ledger-invalid', stream: broken, detail, fault });
    return err({ code: 'stream-stopped', detail: 'a stored receipt of this stream does not verify; an operator must look' });
  }
  const { head, applied } = caughtUp.value;
  const stillTrusted = head !== null && parts.memory.trusts(prefix, head);
  parts.memory.remember(prefix, head, applied > 0 || stillTrusted);
  return ok(undefined);
};
