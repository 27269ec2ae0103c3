import type { PublicKeyId } from '../receipt/ids.ts';
import { type Certificate, type CertificateFault, TRADE_FORMAT, parseCertificate } from './certificate.ts';
import { evidenceIn } from './evidence.ts';
import { Untold } from './telling.ts';
import { type ProvenPack, provenPack } from './verify-pack.ts';
import { type ProvenTrade, provenTrade } from './verify-trade.ts';

/** What a certificate comes to. */
export type CertificateVerdict = {
  readonly verdict: 'valid' | 'invalid';
  readonly format: Certificate['format'] | null;
  /** Fingerprint of the ledger's first key, on which everything rests; null when genesis is not there or not true. */
  readonly fingerprint: PublicKeyId | null;
  /** Whether that fingerprint was pinned by the caller. If not, anybody may have made the certificate, with a ledger of their own. */
  readonly pinned: boolean;
  readonly proves: ProvenTrade | ProvenPack | null;
  /** What no certificate can tell: only the ledger can. */
  readonly cannotProve: readonly string[];
  readonly fault: CertificateFault | null;
};

/**
 * Verifies a certificate from what it holds alone. `trust` is the pinned fingerprint; null takes the certificate's own word for it. Pure:
 * needs no ledger, no service, no clock.
 */
export const verifyCertificate = (value: unknown, trust: PublicKeyId | null): CertificateVerdict => {
  const pinned = trust !== null;
  const refused = (fault: CertificateFault, format: Certificate['format'] | null = null): CertificateVerdict => ({
    ...{ verdict: 'invalid', format, fingerprint: null, pinned, proves: null, cannotProve: [], fault },
  });
  const certificate = parseCertificate(value);
  if (!certificate.ok) return refused(certificate.error);
  const { format } = certificate.value;
  const evidence = evidenceIn(certificate.value, trust);
  if (!evidence.ok) return refused(evidence.error, format);
  const { fingerprint } = evidence.value;
  try {
    const proves =
      certificate.value.format === TRADE_FORMAT
        ? provenTrade(evidence.value, certificate.value)
        : provenPack(evidence.value, certificate.value);
    return { verdict: 'valid', format, fingerprint, pinned, proves, cannotProve: limitsOf(proves), fault: null };
  } catch (error) {
    if (error instanceof Untold) return { ...refused(error.fault, format), fingerprint };
    throw error;
  }
};

const COMMON = [
  'that the keys that signed were not revoked or replaced before: a receipt that says so may have been left out',
  'that the ledger still holds these receipts, each in its place of a whole chain',
];

const limitsOf = (proves: ProvenTrade | ProvenPack): readonly string[] =>
  proves.what === 'trade'
    ? [...COMMON, 'where the copies came from, and that they were theirs to give']
    : [
        ...COMMON,
        'that the pool it was drawn from was the latest at that time',
        ...(proves.draw === 'drop-open' ? ['how the cards were drawn: the seed is told when the drop is closed'] : []),
      ];
