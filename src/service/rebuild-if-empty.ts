import type { Logger } from 'pino';
import { openSource } from '../../projector/open-source.ts';
import { rebuild } from '../../projector/rebuild.ts';
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
  const location = parseStoreUrl(config.receiptStore);
  if (!location.ok) throw new TypeError(location.error.problem);
  const source = await openSource({ location: location.value, credentials: config.s3, durable: true });
  try {
    const rebuilt = await rebuild({ source, databaseUrl, trust });
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
