import { type RecordOptions, verifyRecorded } from '../record/verify-recorded.ts';
import type { LedgerSource } from '../source.ts';
import { verifyLedger } from '../verify.ts';
import { isCertificateFile, verifyCertificateFile } from './certificate.ts';
import { RECORD_ARGUMENTS, openRecordPlace } from './record-arguments.ts';
import { recordText } from './record-text.ts';
import { TRUST_ARGUMENT, openConfigured, openGiven, threadsOf, trustOf } from './shared-arguments.ts';
import { ledgerText, visible } from './text.ts';
import { type Verb, type VerbContext, type VerbResult, WrongUse, exitCodeOf } from './verb.ts';

export const verifyVerb: Verb = {
  name: 'verify',
  description:
    'check every receipt, chain, signature and key, and every pack, code and trade; needs the receipts and nothing else',
  args: {
    source: {
      type: 'positional',
      required: false,
      description:
        'a directory, s3://bucket?endpoint=…&region=…, or a certificate (a file ending in .json); by default RECEIPT_STORE',
    },
    stream: {
      type: 'string',
      valueHint: 'pixpax/…',
      description: 'only the streams below this prefix, and the account streams they rest on',
    },
    ...TRUST_ARGUMENT,
    ...RECORD_ARGUMENTS,
    threads: { type: 'string', valueHint: 'n', description: 'threads to use; by default one to a core' },
  },
  run: async (context) => {
    const { source: given = null } = context.args;
    if (given !== null && isCertificateFile(given)) return verifyCertificateFile(given, context.args);
    const place = await openRecordPlace(context);
    try {
      const source = given === null ? await openConfigured(context, false) : await openGiven(given, 'SOURCE', null, false);
      try {
        return await verifyFrom(source, given === null ? context.config().trust : null, context, place);
      } finally {
        await source.close();
      }
    } finally {
      await place?.store.close();
    }
  },
};

const verifyFrom = async (
  source: LedgerSource,
  configured: Parameters<typeof trustOf>[1],
  { args, onProgress }: VerbContext,
  place: RecordOptions | null,
): Promise<VerbResult> => {
  const below = args.stream?.replace(/\/+$/, '') ?? null;
  if (below !== null) await demandStreams(source, below);
  const trust = trustOf(args, configured);
  const options = { source, trust, below, threads: threadsOf(args.threads ?? null), onProgress };
  if (place !== null) return resultOf(await verifyRecorded(options, place));
  const report = await verifyLedger(options);
  return { exitCode: exitCodeOf[report.verdict], text: ledgerText(report), json: report };
};

/** A record that cannot be believed is no reason to verify without it, nor to call the ledger wrong. */
const resultOf = (verified: Awaited<ReturnType<typeof verifyRecorded>>): VerbResult => {
  if (!verified.ok) {
    const { code, detail } = verified.error;
    return { exitCode: 2, text: `${code}: ${visible(detail)}; to start over, use --anew`, json: { error: { code, detail } } };
  }
  const { report, record } = verified.value;
  const text = `${recordText(record)}\n\n${ledgerText(report)}`;
  return { exitCode: exitCodeOf[report.verdict], text, json: { ...report, record } };
};

/** A mistyped prefix must not read as "valid: nothing wrong". */
const demandStreams = async (source: LedgerSource, below: string): Promise<void> => {
  if (!/^pixpax(?:\/[^/]+){0,3}$/.test(below))
    throw new WrongUse(`--stream takes a prefix such as pixpax/accounts/acc_…, not ${below}`);
  for await (const found of source.find(`${below}/`)) {
    if ('unexpected' in found) return;
    for await (const page of source.pages(found.stream)) if (page.length > 0) return;
  }
  throw new WrongUse(`there is no stream at or below ${below} in ${source.description}`);
};
