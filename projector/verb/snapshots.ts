import { openStore, parseStoreUrl } from '../../src/adapter/store-url.ts';
import { limits } from '../../src/limits.ts';
import { parseAccountId } from '../../src/receipt/ids.ts';
import type { SnapshotReport } from '../snapshots.ts';
import { TRUST_ARGUMENT, openConfigured, trustOf } from './shared-arguments.ts';
import { count, ledgerText } from './text.ts';
import { type Verb, type VerbArguments, type VerbContext, type VerbResult, WrongUse, exitCodeOf } from './verb.ts';

export const snapshotsVerb: Verb = {
  name: 'snapshots',
  description: 'write snapshots of pixbooks, which make cold reads fast; needs the signer, and changes no receipt',
  args: {
    stream: { type: 'string', valueHint: 'pixpax/pixbooks/…', description: 'only the pixbooks below this prefix' },
    account: { type: 'string', valueHint: 'acc_…', description: 'only the pixbooks of this account' },
    every: {
      type: 'string',
      valueHint: 'n',
      description: `of books with so many receipts more than their snapshot; by default ${limits.snapshotEveryReceipts}`,
    },
    ...TRUST_ARGUMENT,
  },
  run: async (context) => {
    const below = belowOf(context.args);
    const everyReceipts = everyOf(context.args.every ?? null);
    const { receiptStore, s3, trust: configured } = context.config();
    const trust = trustOf(context.args, configured);
    const location = parseStoreUrl(receiptStore);
    if (!location.ok) throw new WrongUse(`RECEIPT_STORE: ${location.error.problem}`);
    const { withSigner } = await import('./signer.ts');
    return withSigner(context, async (signer) => {
      const source = await openConfigured(context, true);
      const store = await openStore(location.value, s3);
      try {
        return await written(context, { source, store, signer, trust, below, everyReceipts });
      } finally {
        await Promise.all([source.close(), store.close()]);
      }
    });
  },
};

type Options = Parameters<typeof import('../snapshots.ts').writeSnapshots>[0];

const written = async ({ onProgress }: VerbContext, options: Options): Promise<VerbResult> => {
  const { writeSnapshots } = await import('../snapshots.ts');
  const report = await writeSnapshots({ ...options, onProgress });
  return { exitCode: exitCodeOf[report.ledger.verdict], text: snapshotsText(report), json: report };
};

const belowOf = ({ stream = null, account = null }: VerbArguments): string | null => {
  if (stream !== null && account !== null) throw new WrongUse('--stream and --account do not go together');
  if (account !== null) {
    const accountId = parseAccountId(account);
    if (!accountId.ok) throw new WrongUse(`--account takes ${accountId.error.expected}`);
    return `pixpax/pixbooks/${accountId.value}`;
  }
  const below = stream?.replace(/\/+$/, '') ?? null;
  if (below !== null && !/^pixpax\/pixbooks(?:\/[^/]+){0,2}$/.test(below))
    throw new WrongUse(`--stream takes a prefix such as pixpax/pixbooks/acc_…, not ${below}`);
  return below;
};

const everyOf = (text: string | null): number | undefined => {
  if (text === null) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new WrongUse('--every takes a number of receipts');
  return Number(text);
};

const snapshotsText = ({ ledger, written: made, fresh, tooLarge }: SnapshotReport): string => {
  const parts = ledger.verdict === 'valid' ? [] : [ledgerText(ledger)];
  const beside = [
    `${count(fresh, 'other')} not old yet`,
    ...(tooLarge === 0 ? [] : [`${count(tooLarge, 'pixbook')} too large for one`]),
  ];
  return [
    ...parts,
    `snapshots: ${made.toLocaleString('en-US')} written, ${beside.join(', ')}, ${count(ledger.receipts, 'receipt')} read`,
  ].join('\n\n');
};
