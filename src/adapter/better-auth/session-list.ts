import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { SessionResource } from '../../port/authentication.ts';
import type { Clock } from '../../port/clock.ts';
import { type UserId, instantOf } from '../../receipt/ids.ts';
import { outageOf } from './postgres-fault.ts';

type Row = {
  readonly id: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
};

const LIST = `select id, "createdAt", "expiresAt", "ipAddress", "userAgent" from auth.session
  where "userId" = $1 and "expiresAt" >= $2 order by "createdAt" desc, id desc limit ${limits.sessionsPerUser}`;
const REVOKE = 'delete from auth.session where id = $1 and "userId" = $2 and "expiresAt" >= $3';

/** The sessions of users, by id: better-auth itself lists and ends them by their tokens, which are nobody's to see. */
export const sessionList = (pool: pg.Pool, clock: Clock) => ({
  sessions: async (userId: UserId): Promise<readonly SessionResource[]> => {
    const { rows } = await pool.query<Row>(LIST, [userId, new Date(clock.now())]).catch(rethrow);
    return rows.map(({ id, createdAt, expiresAt, ipAddress, userAgent }) => ({
      sessionId: id,
      createdAt: instantOf(createdAt.getTime()),
      expiresAt: instantOf(expiresAt.getTime()),
      clientAddress: textOrNull(ipAddress),
      userAgent: textOrNull(userAgent),
    }));
  },
  revokeSession: async (userId: UserId, sessionId: string): Promise<boolean> => {
    const { rowCount } = await pool.query(REVOKE, [sessionId, userId, new Date(clock.now())]).catch(rethrow);
    return rowCount === 1;
  },
});

/** better-auth writes an empty text where it knows nothing. */
const textOrNull = (text: string | null): string | null => (text === '' ? null : text);

const rethrow = (error: unknown): never => {
  throw outageOf(error);
};
