import type { Logger } from 'pino';
import { liveStateOf } from '../../projector/live-projection.ts';
import { openSource } from '../../projector/open-source.ts';
import { rebuild } from '../../projector/rebuild.ts';
import { openPool } from '../adapter/postgres/pool.ts';
import { parseStoreUrl } from '../adapter/store-url.ts';
import type { Config } from '../config.ts';
import type { ReadModel } from '../port/read-model.ts';
import { OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../receipt/ids.ts';
import { accountStream } from '../receipt/stream.ts';
import { Refused } from './until-up.ts';

type Empty = {
  readonly config: Config;
  readonly readModel: ReadModel;
  readonly databaseUrl: string;
  readonly trust: PublicKeyId;
  readonly log: Logger;
};

/**
 * An existing ledger beside an empty projection: somebody dropped it, as anybody may. The embedded start makes it anew before it serves, so
 * that every read answers as before. With a Postgres of its own the service serves at once, heals each stream by use, and leaves the
 * rebuild, which may be long, to the operator. Throws `Outage`, and `Refused` when the ledger does not verify.
 */
export const rebuildIfEmpty = async ({ config, readModel, databaseUrl, trust, log }: Empty): Promise<void> => {
  if ((await readModel.head(accountStream(OPERATOR_ACCOUNT_ID))) !== null) return;
  if (config.database.kind === 'url') {
    log.warn('the projection is empty: streams heal by use; `pixpax-ledger rebuild` makes all of it anew');
    return;
  }
  await rebuildNow({ config, databaseUrl, trust, log });
};

/**
 * A projection that another version of this program made, or a damaged one. The embedded start makes it anew, for whoever starts a new version of a
 * program that brings its own Postgres should not have to know of projections; with a Postgres of its own the service waits for the operator's
 * rebuild, while pods of the old version go on serving. Call it before the schemas are looked at. Throws as `rebuildIfEmpty`.
 */
export const rebuildIfOther = async (other: Omit<Empty, 'readModel'>): Promise<void> => {
  if (other.config.database.kind === 'url') return;
  const pool = openPool({ url: other.databaseUrl, connections: 1, work: 'scans' });
  const state = await liveStateOf(pool).finally(() => pool.end());
  if (state !== 'other') return;
  other.log.warn('the projection is not as this version makes it, and is made anew from the receipts');
  await rebuildNow(other);
};

const rebuildNow = async ({ config, databaseUrl, trust, log }: Omit<Empty, 'readModel'>): Promise<void> => {
  const location = parseStoreUrl(config.receiptStore);
  if (!location.ok) throw new TypeError(location.error.problem);
  const source = await openSource({ location: location.value, credentials: config.s3, durable: true });
  try {
    const rebuilt = await rebuild({ source, databaseUrl, trust, company: 'none' });
    if (!rebuilt.ok) {
      if (rebuilt.error.code === 'already-running') throw new Refused(rebuilt.error.detail);
      const [fault] = rebuilt.error.ledger.faults;
      throw new Refused(`the ledger does not verify: ${fault?.key}: ${fault?.code}; run \`pixpax-ledger verify\` and look`);
    }
    const { receipts, streams } = rebuilt.value.ledger;
    log.info({ receipts, streams }, 'the projection was rebuilt from the receipts');
  } finally {
    await source.close();
  }
};
