import { z } from 'zod';
import { limits } from '../limits.ts';
import { parsePackId, parsePublicKeyId, parseTradeId } from '../receipt/ids.ts';
import type { ReceiptFault } from '../receipt/verify.ts';
import { type Result, err, ok } from '../result.ts';
import { branded } from '../stream/branded.ts';
import type { DomainFaultCode } from '../stream/domain-fault.ts';
import type { ReplayFault } from '../stream/replay-step.ts';

export const TRADE_FORMAT = 'pixpax-trade-certificate/v1';
export const PACK_FORMAT = 'pixpax-pack-certificate/v1';

/** A receipt as a certificate carries it: its object key, and its exact bytes as text. */
const shown = z.strictObject({ key: z.string().max(limits.objectKeyBytes), text: z.string().max(limits.receiptBytes) });
export type ShownReceipt = z.infer<typeof shown>;

const common = { fingerprint: branded(parsePublicKeyId), receipts: z.array(shown) };

const certificate = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal(TRADE_FORMAT), tradeId: branded(parseTradeId), ...common }),
  z.strictObject({ format: z.literal(PACK_FORMAT), packId: branded(parsePackId), ...common }),
]);

/** Receipts that prove one trade, or one pack, to whoever trusts the ledger's first key, without the ledger. */
export type Certificate = z.infer<typeof certificate>;
export type TradeCertificate = Extract<Certificate, { format: typeof TRADE_FORMAT }>;
export type PackCertificate = Extract<Certificate, { format: typeof PACK_FORMAT }>;

/** What is wrong with a certificate. Codes are stable; `key` names the receipt at fault, null when it is the certificate as a whole. */
export type CertificateFault = {
  readonly code:
    | 'not-a-certificate'
    | 'fingerprint-mismatch' // it names another first key than its genesis receipt has
    | 'receipt-twice'
    | 'receipt-missing' // one that it needs is not in it
    | 'receipt-unneeded' // one that proves nothing here
    | ReceiptFault['code']
    | ReplayFault['code']
    | DomainFaultCode;
  readonly key: string | null;
  readonly detail: string;
};

export const certificateFault = (
  code: CertificateFault['code'],
  detail: string,
  key: string | null = null,
): Result<never, CertificateFault> => err({ code, key, detail });

/** The certificate in a JSON value. Errors: `not-a-certificate`. */
export const parseCertificate = (value: unknown): Result<Certificate, CertificateFault> => {
  const parsed = certificate.safeParse(value);
  return parsed.success
    ? ok(parsed.data)
    : certificateFault('not-a-certificate', `it is no certificate of a known format: ${whereIn(parsed.error)}`);
};

const whereIn = ({ issues }: z.ZodError): string => {
  const places = issues.map(({ path }) => path.join('.')).filter((place) => place !== '');
  return places.length === 0 ? 'not an object with the members it must have' : places.slice(0, 5).join(', ');
};
