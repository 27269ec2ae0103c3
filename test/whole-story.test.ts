import { beforeAll, describe, expect, it } from 'vitest';
import { storeSource } from '../projector/store-source.ts';
import { objectsOf } from '../projector/tampering.fixture.ts';
import { verifyLedger } from '../projector/verify.ts';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { type Head, headOf } from '../src/receipt/chain.ts';
import { OPERATOR_ACCOUNT_ID } from '../src/receipt/ids.ts';
import { emptyKeyHistory, learnKeys } from '../src/receipt/key-history.ts';
import { keyOf, prefixOf } from '../src/receipt/key-path.ts';
import { verifyGenesis, verifyReceipt } from '../src/receipt/verify.ts';
import { accountPayloads } from '../src/stream/account/event.ts';
import { codePayloads } from '../src/stream/code/event.ts';
import { collectionPayloads } from '../src/stream/collection/event.ts';
import { type StreamState, emptyStream } from '../src/stream/fold.ts';
import { pixbookPayloads } from '../src/stream/pixbook/event.ts';
import { replayStep } from '../src/stream/replay-step.ts';
import { granted } from './ledger-fixture.ts';
import { traded } from './ledger-trade.ts';
import { type WholeStory, wholeStory } from './whole-story.ts';

describe('the whole story', () => {
  let story: WholeStory;
  beforeAll(async () => {
    story = await wholeStory();
  });
  const states = (): StreamState[] => {
    const streams = new Map(story.ledger.receipts.map(({ receipt }) => [prefixOf(receipt.stream), receipt.stream]));
    return [...streams.values()].map((stream) => story.ledger.stateOf(stream));
  };
  const accounts = () => states().flatMap((of) => (of.type === 'account' ? [of.state] : []));
  const codes = () => states().flatMap((of) => (of.type === 'code' ? [of.state] : []));
  const collections = () =>
    states().flatMap((of) => (of.type === 'collection' && of.state.status === 'published' ? [of.state] : []));
  const pixbooks = () => states().flatMap((of) => (of.type === 'pixbook' && of.state.status !== 'absent' ? [of.state] : []));
  const statusesIn = (...parts: { values(): Iterable<{ readonly status: string }> }[]): readonly string[] =>
    parts.flatMap((part) => [...part.values()].map(({ status }) => status));

  it('tells every event that the ledger knows', () => {
    const known = [accountPayloads, pixbookPayloads, collectionPayloads, codePayloads].flatMap(Object.keys);
    const told = new Set(story.ledger.receipts.map(({ receipt }) => receipt.type));
    expect([...told].sort()).toEqual(known.sort());
  });

  const statuses: readonly [string, () => readonly string[], readonly string[]][] = [
    ['an account', () => statusesIn(accounts()), ['closed', 'open', 'suspended']],
    ['an identity', () => statusesIn(...accounts().map(({ identities }) => identities)), ['active', 'revoked']],
    ['a pixbook', () => statusesIn(pixbooks()), ['closed', 'open']],
    ['a pack', () => statusesIn(...pixbooks().map(({ packs }) => packs)), ['issued', 'opened']],
    ['a code', () => statusesIn(codes()), ['claimed', 'open', 'revoked']],
    ['a drop', () => statusesIn(...collections().map(({ drops }) => drops)), ['closed', 'open']],
    [
      'a trade',
      () => statusesIn(...pixbooks().map(({ trades }) => trades)),
      ['accepted', 'cancelled', 'declined', 'expired', 'offered', 'released', 'reserved', 'settled'],
    ],
  ];
  it.each(statuses)('leaves %s in every status there is', (_, left, all) => {
    expect([...new Set(left())].sort()).toEqual(all);
  });

  it('is signed and chained as the format says, and every receipt can come where it is', () => {
    const { receipts, trust } = story.ledger;
    const keys = emptyKeyHistory();
    const heads = new Map<string, Head>();
    const folded = new Map<string, StreamState>();
    for (const stored of receipts) {
      const { receipt, position, bytes } = stored;
      const prefix = prefixOf(receipt.stream);
      const key = keyOf(receipt.stream, receipt.eventId);
      const isGenesis = position === 0 && prefix === prefixOf({ type: 'account', accountId: OPERATOR_ACCOUNT_ID });
      if (isGenesis) granted(verifyGenesis(bytes, key, keys, trust));
      else granted(verifyReceipt(bytes, key, heads.get(prefix) ?? null, keys));
      if (receipt.stream.type === 'account' && !isGenesis) granted(learnKeys(keys, stored));
      folded.set(prefix, granted(replayStep(folded.get(prefix) ?? emptyStream(receipt.stream), receipt, keys)).state);
      heads.set(prefix, headOf(stored));
    }
    for (const { receipt } of receipts)
      expect(folded.get(prefixOf(receipt.stream))).toEqual(story.ledger.stateOf(receipt.stream));
  });

  it('passes verify, but for the settlement that is still to come', async () => {
    const { ledger, unsettled } = await wholeStory();
    const verified = () =>
      verifyLedger({ source: storeSource(memoryStore(objectsOf(ledger.receipts))), trust: ledger.trust, below: null });
    const before = await verified();
    expect(before.faults.map(({ code }) => code)).toEqual(['trade-unsettled']);
    await traded(ledger, unsettled, 'settle-trade');
    expect(await verified()).toMatchObject({ verdict: 'valid', faultCount: 0, receipts: ledger.receipts.length });
  });
});
