import { dirname, join } from 'node:path';
import { openStore, parseStoreUrl } from '../../src/adapter/store-url.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { parsePublicKeyId } from '../../src/receipt/ids.ts';
import { fingerprintOf } from '../record/manifest.ts';
import { openVerifierKey } from '../record/verifier-key.ts';
import type { RecordOptions } from '../record/verify-recorded.ts';
import { isSet } from './shared-arguments.ts';
import { type VerbContext, WrongUse } from './verb.ts';

export const RECORD_ARGUMENTS = {
  record: {
    type: 'string',
    valueHint: 'place',
    description: 'verify only what is new since the record in this directory or bucket, and write the next one there',
  },
  'record-key': {
    type: 'string',
    valueHint: 'file',
    description: 'the verifier’s own key, made if it is not there; by default verifier-key.pem in the data directory',
  },
  'record-trust': { type: 'string', valueHint: 'sha256:…', description: 'fingerprint that the verifier’s key must have' },
  anew: { type: 'boolean', description: 'with --record: verify everything and begin a new record' },
} as const;

/** The place and the key of the record, or null where none is asked for. The caller closes the store. Throws `WrongUse`, `Outage`. */
export const openRecordPlace = async (
  context: VerbContext,
): Promise<(RecordOptions & { readonly store: ReceiptStore }) | null> => {
  const { record, 'record-key': file, 'record-trust': pinned, stream, source } = context.args;
  if (record === undefined || record === null) {
    const stray = Object.keys(RECORD_ARGUMENTS).find((name) => (context.args[name] ?? null) !== null);
    if (stray !== undefined) throw new WrongUse(`--${stray} says something about a --record, and there is none`);
    return null;
  }
  if (stream) throw new WrongUse('a record is of the whole ledger: give --record or --stream');
  const location = parseStoreUrl(record);
  if (!location.ok) throw new WrongUse(`--record: ${location.error.problem}`);
  const trust = pinned === undefined || pinned === null ? null : parsePublicKeyId(pinned);
  if (trust?.ok === false) throw new WrongUse(`--record-trust takes a fingerprint: ${trust.error.expected}`);
  const key = await openVerifierKey(file ?? defaultFile(context));
  const fingerprint = fingerprintOf(key);
  if (trust !== null && trust.value !== fingerprint)
    throw new WrongUse(`the verifier's key is ${fingerprint}, not the pinned ${trust.value}: nothing was verified`);
  const credentials = source ? null : context.config().s3;
  return { store: await openStore(location.value, credentials), key, anew: isSet(context.args, 'anew') };
};

const defaultFile = ({ config }: VerbContext): string => {
  const { database } = config();
  if (database.kind !== 'embedded') throw new WrongUse('--record needs --record-key, a file that only the verifier can read');
  return join(dirname(database.directory), 'verifier-key.pem');
};
