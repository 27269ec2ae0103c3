import { keyReceipts } from '../src/certificate/key-receipts.ts';
import { tenantOf } from '../src/projection/project.ts';
import { type AccountId, type IdentityId, OPERATOR_ACCOUNT_ID, type TradeId, tradeIdOf } from '../src/receipt/ids.ts';
import { prefixOf } from '../src/receipt/key-path.ts';
import { codeStream, collectionStream } from '../src/receipt/stream.ts';
import type { TradePartner } from '../src/stream/pixbook/event.ts';
import type { Besides } from './copy-ledger.ts';
import type { LedgerSource } from './source.ts';

/**
 * What a tenant's receipts rest on and an export therefore holds besides them: whole, the collections its pixbooks are of and the codes its
 * packs were got by; and of a partner who answered an offer the receipts of the keys that signed the answer. A partner's own pixbook is
 * another tenant's: the reservations and offers in it stay away, and `verify` of the export says that they are not there (incomplete).
 */
export const citedBesides = (source: LedgerSource, accountId: AccountId): Besides => {
  const streams = new Set<string>();
  const offers = new Map<TradeId, TradePartner>();
  const partners = new Map<AccountId, Set<IdentityId>>();

  return {
    take: ({ read, event }) => {
      if (event.type === 'PIXBOOK_CREATED') streams.add(prefixOf(collectionStream(event.payload.collectionId)));
      if (event.type === 'PACK_ISSUED' && event.payload.claim !== null)
        streams.add(prefixOf(codeStream(event.payload.claim.codeId)));
      if (event.type === 'CARD_TRADE_OFFERED') offers.set(tradeIdOf(read.receipt.eventId), event.payload.to);
      if (event.type !== 'CARD_TRADE_ACCEPTED' && event.type !== 'CARD_TRADE_DECLINED') return;
      const to = offers.get(event.payload.tradeId);
      if (to === undefined || to.accountId === accountId) return;
      partners.set(to.accountId, (partners.get(to.accountId) ?? new Set()).add(to.identityId));
    },
    streams: () => streams,
    objects: async () => {
      const reader = { read: async (key: string) => (await source.readMany([key]))[0] ?? null };
      const objects = new Map<string, Uint8Array>();
      for (const [partner, identityIds] of partners)
        for (const { key, read } of await keyReceipts(reader, [partner], identityIds))
          if (tenantOf(read.receipt.stream) !== OPERATOR_ACCOUNT_ID) objects.set(key, read.bytes);
      return [...objects].map(([key, bytes]) => ({ key, bytes }));
    },
  };
};
