import { parseStoreUrl } from '../../src/adapter/store-url.ts';
import { type PublicKeyId, parsePublicKeyId } from '../../src/receipt/ids.ts';
import { openSource } from '../open-source.ts';
import type { LedgerSource, SourceAddress } from '../source.ts';
import { type VerbArguments, type VerbContext, WrongUse } from './verb.ts';

export const TRUST_ARGUMENT = {
  trust: { type: 'string', valueHint: 'sha256:…', description: 'fingerprint that the operator’s first key must have' },
} as const;

/** The pinned fingerprint: as given, or else as configured where the ledger is the configured one. Throws `WrongUse`. */
export const trustOf = (args: VerbArguments, configured: PublicKeyId | null): PublicKeyId | null => {
  if (args.trust === null || args.trust === undefined) return configured;
  const parsed = parsePublicKeyId(args.trust);
  if (!parsed.ok) throw new WrongUse(`--trust takes a fingerprint: ${parsed.error.expected}`);
  return parsed.value;
};

export const SEGMENTS_ARGUMENT = {
  segments: {
    type: 'boolean',
    negativeDescription: 'read events alone',
    description: 'read settled receipts from segments, where there are some (the default)',
  },
} as const;

/** Whether a flag was given. */
export const isSet = (args: VerbArguments, name: string): boolean => args[name] === 'yes';

/** `--threads`; undefined for as many as there are cores. Throws `WrongUse`. */
export const threadsOf = (text: string | null): number | undefined => {
  if (text === null) return undefined;
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new WrongUse('--threads takes a number');
  return Number(text);
};

/** The configured ledger. `durable` and `segments` as in `openSource`. Throws `WrongUse`, `Outage`. */
export const openConfigured = async (
  { config }: VerbContext,
  durable: boolean,
  segments?: SourceAddress['segments'],
): Promise<LedgerSource> => {
  const { receiptStore, s3 } = config();
  return openGiven(receiptStore, 'RECEIPT_STORE', s3, durable, segments);
};

/** A ledger that was named on the command line or in the environment, by `what`. */
export const openGiven = async (
  text: string,
  what: string,
  credentials: Parameters<typeof openSource>[0]['credentials'],
  durable: boolean,
  segments?: SourceAddress['segments'],
): Promise<LedgerSource> => {
  const location = parseStoreUrl(text);
  if (!location.ok) throw new WrongUse(`${what}: ${location.error.problem}`);
  return openSource({ location: location.value, credentials, durable, segments });
};
