import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccountId } from '../../../src/receipt/ids.ts';
import { LEDGER_ROOT } from '../../../src/receipt/key-path.ts';
import { removeBelow } from './bench-bucket.ts';
import type { BenchPlace } from './bench-place.ts';

/**
 * Takes accounts and their books out of a generated ledger, so that it is again what was generated, and the next run measures the same. Nobody
 * else may have traded with them. (A ledger that is not the bench's own knows no such thing.)
 */
export const removeAccounts = async ({ location, credentials }: BenchPlace, accountIds: readonly AccountId[]): Promise<void> => {
  for (const accountId of accountIds)
    for (const place of [`${LEDGER_ROOT}accounts/${accountId}/`, `${LEDGER_ROOT}pixbooks/${accountId}/`])
      if (location.kind === 'file') await rm(join(location.directory, place), { recursive: true, force: true });
      else if (credentials !== null) await removeBelow({ bucket: location, credentials }, place);
};
