import { openFileStore } from '../../src/adapter/file/receipt-store.ts';
import { openStore, parseStoreUrl } from '../../src/adapter/store-url.ts';
import { parseAccountId } from '../../src/receipt/ids.ts';
import type { Result } from '../../src/result.ts';
import type { CopyReport } from '../copy-ledger.ts';
import { type ExportRefusal, exportAccount } from '../export.ts';
import { importLedger } from '../import.ts';
import { TRUST_ARGUMENT, openConfigured, openGiven, trustOf } from './shared-arguments.ts';
import { count, ledgerText, visible } from './text.ts';
import { type Verb, type VerbResult, WrongUse, exitCodeOf } from './verb.ts';

export const exportVerb: Verb = {
  name: 'export',
  description: 'copy an account’s receipts to a directory, with what it takes to verify them alone',
  args: {
    account: { type: 'string', required: true, valueHint: 'acc_…', description: 'the account' },
    to: { type: 'string', required: true, valueHint: 'DIR', description: 'the directory; made if it is not there' },
    ...TRUST_ARGUMENT,
  },
  run: async (context) => {
    const { args, onProgress } = context;
    const accountId = parseAccountId(args.account);
    if (!accountId.ok) throw new WrongUse(`--account takes ${accountId.error.expected}`);
    const trust = trustOf(args, context.config().trust);
    // A copy is of the truth, and nothing derived goes into it.
    const source = await openConfigured(context, true, 'ignore');
    const to = await openFileStore(args.to ?? '');
    try {
      const copied = await exportAccount({ source, accountId: accountId.value, to, trust, onProgress });
      return copyResult('exported', copied, to.description);
    } finally {
      await Promise.all([source.close(), to.close()]);
    }
  },
};

export const importVerb: Verb = {
  name: 'import',
  description: 'verify exported receipts and put them into RECEIPT_STORE; never overwrites',
  args: {
    source: { type: 'positional', required: true, description: 'the directory, or s3://bucket?endpoint=…&region=…' },
    ...TRUST_ARGUMENT,
  },
  run: async (context) => {
    const { args, onProgress } = context;
    const { receiptStore, s3, trust: configured } = context.config();
    const location = parseStoreUrl(receiptStore);
    if (!location.ok) throw new WrongUse(`RECEIPT_STORE: ${location.error.problem}`);
    const trust = trustOf(args, configured);
    const source = await openGiven(args.source ?? '', 'SOURCE', null, false, 'ignore');
    const to = await openStore(location.value, s3);
    try {
      return copyResult('imported', await importLedger({ source, to, trust, onProgress }), to.description);
    } finally {
      await Promise.all([source.close(), to.close()]);
    }
  },
};

const copyResult = (done: string, copied: Result<CopyReport, ExportRefusal>, target: string): VerbResult => {
  if (copied.ok) {
    const { created, there } = copied.value.copied;
    const before = there === 0 ? '' : `, ${there.toLocaleString('en-US')} there before`;
    return {
      exitCode: 0,
      text: `${done}: ${count(created, 'receipt')} written to ${visible(target)}${before}`,
      json: copied.value,
    };
  }
  const { error } = copied;
  switch (error.code) {
    case 'ledger-not-valid':
      return {
        exitCode: exitCodeOf[error.ledger.verdict],
        text: `${ledgerText(error.ledger)}\nNothing was written.`,
        json: { error: { code: error.code }, ledger: error.ledger },
      };
    case 'keys-taken': {
      const keys = error.keys.map((key) => `  ${visible(key)}`).join('\n');
      return { exitCode: 1, text: `${target} has other bytes under\n${keys}\nNothing was written.`, json: { error } };
    }
    case 'account-missing':
      return { exitCode: 2, text: error.detail, json: { error } };
  }
};
