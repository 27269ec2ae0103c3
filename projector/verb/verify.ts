import { openStore } from '../../src/adapter/store-url.ts';
import { type RecordOptions, verifyRecorded } from '../record/verify-recorded.ts';
import { type SegmentAudit, auditSegments, withAudit } from '../segment/audit-segments.ts';
import type { LedgerSource, SourceAddress } from '../source.ts';
import { verifyLedger } from '../verify.ts';
import { isCertificateFile, verifyCertificateFile } from './certificate.ts';
import { RECORD_ARGUMENTS, openRecordPlace } from './record-arguments.ts';
import { recordText } from './record-text.ts';
import { SEGMENTS_ARGUMENT, TRUST_ARGUMENT, openConfigured, openGiven, threadsOf, trustOf } from './shared-arguments.ts';
import { ledgerText, visible } from './text.ts';
import { type Verb, type VerbArguments, type VerbContext, type VerbResult, WrongUse, exitCodeOf } from './verb.ts';

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
    deep: { type: 'boolean', description: 'read every event and every segment, and compare all bytes' },
    ...SEGMENTS_ARGUMENT,
    threads: { type: 'string', valueHint: 'n', description: 'threads to use; by default one to a core' },
  },
  run: async (context) => {
    const { source: given = null } = context.args;
    if (given !== null && isCertificateFile(given)) return verifyCertificateFile(given, context.args);
    const place = await openRecordPlace(context);
    try {
      const segments = segmentsChosen(context.args, place !== null);
      const source =
        given === null ? await openConfigured(context, false, segments) : await openGiven(given, 'SOURCE', null, false, segments);
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

const segmentsChosen = ({ deep, segments }: VerbArguments, isRecorded: boolean): SourceAddress['segments'] => {
  if (deep === 'yes' && isRecorded) throw new WrongUse('--deep reads everything: give --record or --deep');
  // The record's tags are those of events: what was changed among them must not be read from a segment, which still has it as it was.
  if (isRecorded) return 'ignore';
  if (deep === 'yes' && segments === 'no') throw new WrongUse('--deep compares segments: it cannot do with --no-segments');
  if (deep === 'yes') return 'compare';
  return segments === 'no' ? 'ignore' : 'use';
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
  const verified = await verifyLedger(options);
  const report = args.deep === 'yes' ? withAudit(verified, await auditOf(source.address, below)) : verified;
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

const auditOf = async (address: SourceAddress | null, below: string | null): Promise<SegmentAudit> => {
  if (address === null) throw new TypeError('a source that was opened by its address has one');
  const store = await openStore(address.location, address.credentials, { readOnly: true });
  try {
    return await auditSegments(store, below);
  } finally {
    await store.close();
  }
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
