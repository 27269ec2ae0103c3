import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';
import { type UserId, parseUserId } from '../../receipt/ids.ts';
import { outageOf } from './postgres-fault.ts';

/** A session that is neither revoked nor expired. */
export type LiveSession = { readonly sessionId: string; readonly userId: UserId };

type Row = { readonly token: string; readonly id: string; readonly userId: string; readonly expiresAt: Date };

/** By the unique index on the token; the user must still exist. */
const LOOK_UP = {
  name: 'pixpax-session-by-token',
  text: `select s.token, s.id, s."userId", s."expiresAt"
    from auth.session s join auth."user" u on u.id = s."userId" where s.token = any($1::text[])`,
};

type Waiting = Map<string, PromiseWithResolvers<LiveSession | null>>;

/**
 * Looks sessions up. The tokens asked for during one turn of the event loop go into one statement. It is sent after the last of them was
 * asked for, never joined afterwards: so a session that was revoked before the question is never the answer. Throws `Outage`.
 */
export const sessionLookup = (pool: pg.Pool, clock: Clock): ((token: string) => Promise<LiveSession | null>) => {
  let waiting: Waiting = new Map();

  const send = (batch: Waiting): void => {
    if (batch === waiting) waiting = new Map();
    answer(pool, clock, batch).catch((error: unknown) => {
      const outage = outageOf(error);
      for (const { reject } of batch.values()) reject(outage);
    });
  };

  return (token) => {
    const asked = waiting.get(token);
    if (asked !== undefined) return asked.promise;
    if (waiting.size === limits.sessionLookupTokens) waiting = new Map(); // full: its own turn will send it
    if (waiting.size === 0) setImmediate(send, waiting);
    const question = Promise.withResolvers<LiveSession | null>();
    waiting.set(token, question);
    return question.promise;
  };
};

const answer = async (pool: pg.Pool, clock: Clock, batch: Waiting): Promise<void> => {
  const { rows } = await pool.query<Row>({ ...LOOK_UP, values: [[...batch.keys()]] });
  const now = clock.now();
  const found = new Map(rows.filter((row) => row.expiresAt.getTime() >= now).map((row) => [row.token, row]));
  for (const [token, { resolve }] of batch) resolve(live(found.get(token)));
};

/** A user id that is no id of ours can belong to nobody, so nobody is signed in. */
const live = (row: Row | undefined): LiveSession | null => {
  const userId = parseUserId(row?.userId);
  return row !== undefined && userId.ok ? { sessionId: row.id, userId: userId.value } : null;
};
