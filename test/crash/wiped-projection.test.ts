import { describe, expect, it } from 'vitest';
import { bookIdFor, codePackIdFor } from '../../src/receipt/ids.ts';
import { by } from '../domain/collector.ts';
import { catalogueOf, issuerAsks } from '../domain/publication.ts';
import { granted } from '../ledger-fixture.ts';
import { makeCardWorld } from './card-world.ts';
import { makeWorld } from './collector-world.ts';
import { asks, collectionId } from './world.ts';

describe('a projection that is wiped while the service runs', () => {
  it('does not hide that a pixbook is closed from whoever opens the next one', async () => {
    const { start, primary, accountId, identityId, bookId } = await makeWorld();
    const { commands } = start();
    granted(await commands.closePixbook(asks('close'), { accountId, bookId }));
    primary.wipe();
    const next = granted(await commands.createPixbook(asks('next'), { accountId, identityId, collectionId }));
    expect(next.stream).toMatchObject({ bookId: bookIdFor(identityId, collectionId, 2) });
  });

  it('answers the key of a pixbook that is not back yet with that pixbook, when a later one is', async () => {
    const { start, primary, accountId, identityId, bookId } = await makeWorld();
    const { commands } = start();
    const book = { accountId, identityId, collectionId };
    const first = granted(await commands.createPixbook(asks('book'), book));
    granted(await commands.closePixbook(asks('close'), { accountId, bookId }));
    granted(await commands.createPixbook(asks('next'), book));
    const later = { accountId, bookId: bookIdFor(identityId, collectionId, 2) };
    for (const process of [commands, start().commands]) {
      primary.wipe();
      // It is refused, and brings the second book back, but not the first.
      await process.save(asks('touch'), later, { state: {}, baseEventId: first.eventId });
      const again = granted(await process.createPixbook(asks('book'), book));
      expect(again).toMatchObject({ eventId: first.eventId, replayed: true });
    }
  });

  it('does not stand between a claim and its pack, nor between an offer and its acceptance', async () => {
    const { start, primary, bruno, carla, swap, codeId } = await makeCardWorld('offered');
    const { commands } = start();
    // Refused both, but the service has seen these streams.
    expect(await commands.declineTrade(by(bruno, 'warm'), swap, carla)).toMatchObject({ ok: false });
    expect(await commands.openPack(by(bruno, 'warm'), bruno, codePackIdFor(codeId))).toMatchObject({ ok: false });
    primary.wipe();
    expect(await commands.acceptTrade(by(bruno, 'accept'), swap, { ...bruno, give: [] })).toMatchObject({ ok: true });
    primary.wipe();
    expect(await commands.claimCode(by(bruno, 'claim'), bruno, codeId)).toMatchObject({ ok: true });
  });

  it('does not make an issuer a stranger', async () => {
    const { start, primary, anna, dropId, identityId } = await makeCardWorld('offered');
    const { commands } = start();
    const cardIds = catalogueOf(1, 'bird-crane').cards.map(({ cardId }) => cardId);
    const grant = { identityId, cardIds, reason: 'a prize' };
    granted(await commands.addCards(issuerAsks('one'), anna, grant));
    primary.wipe();
    granted(await commands.addCards(issuerAsks('two'), anna, grant));
    primary.wipe();
    granted(await commands.issuePack(issuerAsks('three'), anna, { dropId, identityId }));
  });
});
