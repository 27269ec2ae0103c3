import type { Health } from '../http/parts.ts';
import { limits } from '../limits.ts';
import { type Clock, withDeadline } from '../port/clock.ts';
import { type Dependency, Outage } from '../port/outage.ts';
import type { ReadModel } from '../port/read-model.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import type { Signer } from '../port/signer.ts';
import { OPERATOR_ACCOUNT_ID } from '../receipt/ids.ts';
import { keyAt } from '../receipt/key-path.ts';
import { accountStream } from '../receipt/stream.ts';

type Asked = {
  readonly store: ReceiptStore;
  readonly signer: Signer;
  readonly readModel: ReadModel;
  readonly clock: Clock;
};

const GENESIS = keyAt(accountStream(OPERATOR_ACCOUNT_ID), 0);

/** Asks every dependency, each within a deadline of its own. Never rejects. */
export const dependencyHealth = ({ store, signer, readModel, clock }: Asked): (() => Promise<Health>) => {
  const within = (dependency: Dependency, ms: number, check: () => Promise<unknown>) =>
    healthOf(() => withDeadline(clock, dependency, ms, check));
  return async () => {
    const [postgres, storeHealth, signerHealth] = await Promise.all([
      within('postgres', limits.databaseTimeoutMs, () => readModel.check()),
      within('store', limits.storeTimeoutMs, async () => {
        if (!(await store.exists(GENESIS))) throw new Outage('store', 'store-refused', 'the store does not hold this ledger');
      }),
      within('signer', limits.signTimeoutMs, () => signer.check()),
    ]);
    return { postgres, store: storeHealth, signer: signerHealth };
  };
};

/** Asks one dependency; a word for people when it is down. Never rejects. */
const healthOf = async (
  check: () => Promise<unknown>,
): Promise<{ readonly status: 'ok' } | { readonly status: 'down'; readonly reason: string }> => {
  try {
    await check();
    return { status: 'ok' };
  } catch (error) {
    // The adapters' own words are for the log; anyone may read this.
    return { status: 'down', reason: error instanceof Outage ? error.code : 'internal-error' };
  }
};
