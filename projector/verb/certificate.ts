import { readFileSync, statSync } from 'node:fs';
import { type CertificateVerdict, verifyCertificate } from '../../src/certificate/verify.ts';
import type { ProvenPack } from '../../src/certificate/verify-pack.ts';
import type { ProvenTrade, Trader } from '../../src/certificate/verify-trade.ts';
import { limits } from '../../src/limits.ts';
import type { Instance } from '../../src/stream/pixbook/event.ts';
import { trustOf } from './shared-arguments.ts';
import { aligned, count, visible } from './text.ts';
import { type VerbArguments, type VerbResult, WrongUse } from './verb.ts';

/** Whether a source is a certificate: a regular file whose name ends in `.json`. */
export const isCertificateFile = (source: string): boolean =>
  source.endsWith('.json') && statSync(source, { throwIfNoEntry: false })?.isFile() === true;

/** Verifies a certificate with nothing but the file and the pinned fingerprint. Throws `WrongUse`. */
export const verifyCertificateFile = (path: string, args: VerbArguments): VerbResult => {
  for (const option of ['stream', 'threads', 'deep', 'segments'])
    if (args[option] !== undefined && args[option] !== null) throw new WrongUse(`a certificate takes no --${option}`);
  const verdict = verifyCertificate(jsonIn(path), trustOf(args, null));
  return { exitCode: verdict.verdict === 'valid' ? 0 : 1, text: certificateText(verdict), json: verdict };
};

/** What is no JSON is no certificate, and said so. */
const jsonIn = (path: string): unknown => {
  if (statSync(path).size > limits.certificateBytes)
    throw new WrongUse(`a certificate has at most ${limits.certificateBytes} bytes`);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

const certificateText = ({ fingerprint, pinned, proves, cannotProve, fault }: CertificateVerdict): string => {
  const anchor = fingerprint === null ? '' : `, trust anchor ${fingerprint} (${pinned ? 'pinned' : 'not pinned'})`;
  if (fault !== null || proves === null) {
    const where = fault?.key === null || fault?.key === undefined ? '' : `\n  ${visible(fault.key)}`;
    return `${fault?.code ?? 'not-a-certificate'}${where}\n  ${visible(fault?.detail ?? '')}\n\nINVALID: the certificate proves nothing${anchor}`;
  }
  const rows = proves.what === 'trade' ? tradeRows(proves) : packRows(proves);
  const open = ['It cannot prove', ...cannotProve.map((what) => `- ${what}`)].join('\n');
  return [aligned(rows), open, `valid: a ${proves.what} certificate${anchor}`].join('\n\n');
};

const tradeRows = ({ tradeId, collectionId, offerer, accepter, offeredAt, acceptedAt, settledAt }: ProvenTrade) => [
  ['trade', tradeId],
  ['collection', collectionId],
  ['offered', offeredAt],
  ...traderRows('offerer', offerer),
  ['accepted', acceptedAt],
  ...traderRows('accepter', accepter),
  ['settled', settledAt ?? 'not yet, when the certificate was made'],
];

const traderRows = (side: string, { accountId, identityId, bookId, gave }: Trader) => [
  [side, `${identityId} of ${accountId}, pixbook ${bookId}`],
  ['  gave', gave.length === 0 ? 'nothing' : count(gave.length, 'card')],
  ...cardRows(gave),
];

const packRows = ({ packId, accountId, identityId, bookId, collectionId, dropId, cards, issuedAt, code, draw }: ProvenPack) => [
  ['pack', packId],
  ['drop', `${dropId} of ${collectionId}`],
  ['issued', issuedAt],
  ['to', `${identityId} of ${accountId}, pixbook ${bookId}`],
  ['by', code === null ? 'the drop' : `code ${code.codeId}, claimed ${code.claimedAt}`],
  ['holds', count(cards.length, 'card')],
  ...cardRows(cards),
  [
    'draw',
    draw === 'recomputed'
      ? 'drawn again from the revealed seed: the same cards'
      : 'the drop is still open: the seed is not known yet',
  ],
];

const cardRows = (cards: readonly Instance[]) => cards.map(({ cardId, instanceId }) => ['', `${cardId}  ${instanceId}`]);
