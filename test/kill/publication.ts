import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientOf, textOf } from '../../scripts/demo/api.ts';
import { cards, series } from '../../src/service/demo-catalogue.ts';
import type { ApiProcess } from './api-process.ts';

/** What the load collects: a published collection, drops of it that stay open, and codes that nobody has claimed. */
export type Publication = {
  readonly collectionId: string;
  readonly dropIds: readonly string[];
  readonly codes: readonly string[];
};

const BATCH_DEADLINE_MS = 60_000;

/** An operator makes it at one process, before anything is killed. */
export const publish = async (
  api: ApiProcess,
  made: { readonly drops: number; readonly codes: number },
): Promise<Publication> => {
  const token = await readFile(join(api.dataDir, 'secrets', 'demo-operator-token'), 'utf8');
  const operator = clientOf(api.url, token.trim());
  for (const { artHash, svg } of cards) await operator.put(`/v1/art/${artHash}`, svg, 'image/svg+xml');
  const catalogue = cards.map(({ svg: _svg, ...card }) => card);
  const published = await operator.do('/v1/collections', { version: 1, title: 'Kill loop', series, cards: catalogue });
  const collectionId = textOf(published, 'collectionId');
  const dropIds: string[] = [];
  for (let i = 0; i < made.drops; i++) {
    const drop = await operator.do(`/v1/collections/${collectionId}/drops`, { title: `Drop ${i}`, packSize: 5 });
    dropIds.push(textOf(drop, 'dropId'));
  }
  const [dropId] = dropIds;
  const ordered = await operator.do('/v1/batches/codes', { collectionId, dropId, count: made.codes });
  const batch = `/v1/batches/${textOf(ordered, 'batchId')}`;
  for (const deadline = Date.now() + BATCH_DEADLINE_MS; (await operator.get(batch)).status !== 'finished'; await sleep(100))
    if (Date.now() > deadline) throw new Error('the batch of codes did not come to an end');
  const shown = await operator.do(`${batch}/commands/show-codes`);
  const codes = (shown.codes as Record<string, unknown>[]).map((each) => textOf(each, 'code'));
  return { collectionId, dropIds, codes };
};
