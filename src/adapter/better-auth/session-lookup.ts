import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { Session } from '../../port/authentication.ts';
import type { Clock } from '../../port/clock.ts';
import { parseUserId } from '../../receipt/ids.ts';
import { scopesOf } from './key-scopes.ts';
import { outageOf } from './postgres-fault.ts';
import type { Carried } from './session-token.ts';

type Row = {
  readonly carried: string;
  readonly id: string;
  readonly userId: string;
  /** Null: never. */
  readonly expiresAt: Date | null;
  readonly permissions: string | null;
  readonly lastUsedAt: Date | null;
};

/** By the index on the token or on the key's hash; the user must still exist. */
const LOOK_UP = {
  name: 'pixpax-who-is-it',
  text: `select s.token as carried, s.id, s."userId", s."expiresAt", null as permissions, null as "lastUsedAt"
    from auth.session s join auth."user" u on u.id = s."userId" where s.token = any($1::text[])
    union all
    select '.' || k.key, k.id, k."referenceId", k."expiresAt", k.permissions, k."lastRequest"
    from auth.apikey k join auth."user" u on u.id = k."referenceId" where k.key = any($2::text[]) and k.enabled`,
};

/** Neither revoked nor expired. `lastUsedAt`: when the use of a key was last noted. */
type Live = { readonly session: Session; readonly lastUsedAt: Date | null };

type Question = PromiseWithResolvers<Row | null> & { readonly carried: Carried };
type Waiting = Map<string, Question>;

/**
 * Looks sessions and API keys up. What is asked for during one turn of the event loop goes into one statement. It is sent after the last was
 * asked for, never joined afterwards: so a session that was revoked before the question is never the answer. `used` is told of a key that lets
 * somebody in. Throws `Outage`.
 */
export const sessionLookup = (
  pool: pg.Pool,
  clock: Clock,
  used: (apiKeyId: string, lastUsedAt: Date | null) => void = () => undefined,
): ((carried: Carried) => Promise<Session | null>) => {
  let waiting: Waiting = new Map();

  const send = (batch: Waiting): void => {
    if (batch === waiting) waiting = new Map();
    answer(pool, clock, batch).catch((error: unknown) => {
      const outage = outageOf(error);
      for (const { reject } of batch.values()) reject(outage);
    });
  };

  const rowOf = (carried: Carried): Promise<Row | null> => {
    const name = nameOf(carried);
    const asked = waiting.get(name);
    if (asked !== undefined) return asked.promise;
    if (waiting.size === limits.sessionLookupTokens) waiting = new Map(); // full: its own turn will send it
    if (waiting.size === 0) setImmediate(send, waiting);
    const question = { ...Promise.withResolvers<Row | null>(), carried };
    waiting.set(name, question);
    return question.promise;
  };

  return async (carried) => {
    const live = liveOf(carried, await rowOf(carried));
    if (live === null) return null;
    if (carried.kind === 'api-key') used(live.session.sessionId, live.lastUsedAt);
    return live.session;
  };
};

/** As the statement spells it: no token begins with a dot. */
const nameOf = (carried: Carried): string => (carried.kind === 'session' ? carried.token : `.${carried.hash}`);

const answer = async (pool: pg.Pool, clock: Clock, batch: Waiting): Promise<void> => {
  const all = [...batch.values()].map(({ carried }) => carried);
  const tokens = all.flatMap((carried) => (carried.kind === 'session' ? [carried.token] : []));
  const hashes = all.flatMap((carried) => (carried.kind === 'api-key' ? [carried.hash] : []));
  const { rows } = await pool.query<Row>({ ...LOOK_UP, values: [tokens, hashes] });
  const now = clock.now();
  const isOver = ({ expiresAt }: Row): boolean => expiresAt !== null && expiresAt.getTime() < now;
  const found = new Map(rows.filter((row) => !isOver(row)).map((row) => [row.carried, row]));
  for (const [name, { resolve }] of batch) resolve(found.get(name) ?? null);
};

/** A user id that is no id of ours can belong to nobody, so nobody is signed in; nor by a key whose scopes cannot be read. */
const liveOf = (carried: Carried, row: Row | null): Live | null => {
  const userId = parseUserId(row?.userId);
  if (row === null || !userId.ok) return null;
  const who = { userId: userId.value, sessionId: row.id };
  if (carried.kind === 'session') return { session: { ...who, via: carried.via, scopes: null }, lastUsedAt: null };
  const scopes = scopesOf(row.permissions);
  return scopes && { session: { ...who, via: 'api-key', scopes: new Set(scopes) }, lastUsedAt: row.lastUsedAt };
};
