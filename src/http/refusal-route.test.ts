import { describe, expect, it } from 'vitest';
import type { CommandRefusal } from '../command/ledger-commands.ts';
import { CATALOGUE } from './collector.fixture.ts';
import { commandsThat, refusing } from './ending-commands.fixture.ts';
import { makeWorld, refusal } from './ledger.fixture.ts';

const id = (prefix: string): string => `${prefix}_00000000000000000000000001`;
const book = `/v1/pixbooks/${id('bk')}/commands`;
const collection = `/v1/collections/${id('col')}`;
const hint = `?accountId=${id('acc')}`;
const trade = `/v1/trades/${id('trd')}/commands`;
const places = `${hint}&bookId=${id('bk')}&toAccountId=${id('acc')}&toBookId=bk_00000000000000000000000002`;
const instanceIds = [id('ins')];
const offer = {
  ...{ bookId: id('bk'), accountId: id('acc'), to: { bookId: id('bk') }, give: instanceIds },
  expiresAt: '2026-01-31T12:00:00.000Z',
};
const claim = { code: 'ABCD-EF12-3456', bookId: id('bk'), accountId: id('acc') };

type Refused = { readonly [status: number]: readonly CommandRefusal['code'][] };

/** What each command may be refused for, and as what: path, body, codes by status. */
const table: readonly (readonly [path: string, body: object, refused: Refused])[] = [
  ['/v1/collections', CATALOGUE, { 422: ['art-missing', 'catalogue-invalid'], 404: ['identity-missing'], 403: ['forbidden'] }],
  [
    `${collection}/commands/publish`,
    { version: 2, ...CATALOGUE },
    { 404: ['collection-missing'], 409: ['version-published', 'version-skipped'] },
  ],
  [`${collection}/commands/retire-series`, { seriesId: 'sea' }, { 404: ['series-missing'], 409: ['series-retired'] }],
  [`${collection}/drops`, { title: 'Week 1' }, { 409: ['drop-exists', 'too-many-drops', 'pool-too-small'] }],
  [`/v1/drops/${id('drp')}/commands/close?collectionId=${id('col')}`, {}, { 404: ['drop-missing'], 409: ['drop-closed'] }],
  [`/v1/codes/${id('cod')}/commands/revoke`, {}, { 404: ['code-missing'], 409: ['code-claimed'], 410: ['code-revoked'] }],
  [
    '/v1/codes/commands/claim',
    claim,
    {
      404: ['code-missing', 'drop-missing', 'collection-missing', 'not-found', 'pixbook-missing'],
      409: ['code-claimed', 'drop-closed', 'pool-too-small', 'pack-issued', 'pixbook-closed', 'identity-revoked'],
      410: ['code-revoked'],
      422: ['code-of-other-collection'],
      503: ['queue-full', 'contended', 'outcome-unknown', 'stream-stopped'],
    },
  ],
  [
    `${book}/issue-pack${hint}`,
    { dropId: id('drp') },
    { 404: ['drop-missing', 'collection-missing'], 409: ['drop-closed', 'pool-too-small', 'pack-issued', 'account-closed'] },
  ],
  [`${book}/open-pack${hint}`, { packId: id('pck') }, { 404: ['pack-missing'], 409: ['pack-opened'] }],
  [`${book}/add-cards${hint}`, { cardIds: ['fox'], reason: 'a gift' }, { 422: ['card-missing'], 404: ['collection-missing'] }],
  [
    `${book}/remove-cards${hint}`,
    { instanceIds, reason: 'lost' },
    { 409: ['card-not-held', 'card-in-escrow'], 422: ['card-twice'] },
  ],
  [`${book}/close${hint}`, {}, { 409: ['trade-pending', 'pixbook-closed'] }],
  [
    '/v1/trades',
    offer,
    {
      409: ['card-not-held', 'card-in-escrow', 'too-many-trades'],
      422: ['card-twice', 'card-missing', 'trade-target-missing', 'trade-with-itself', 'trade-expiry-invalid'],
    },
  ],
  [
    `${trade}/accept${places}`,
    { give: instanceIds },
    {
      404: ['trade-missing', 'trade-not-yours', 'not-found'],
      409: ['trade-reserved', 'trade-accepted', 'trade-declined', 'trade-cancelled', 'card-in-escrow', 'too-many-trades'],
      410: ['trade-expired'],
      422: ['trade-want-mismatch', 'card-twice'],
    },
  ],
  [`${trade}/decline${places}`, {}, { 404: ['trade-not-yours'], 409: ['trade-accepted'], 410: ['trade-expired'] }],
  [`${trade}/cancel${places}`, {}, { 404: ['trade-missing'], 409: ['trade-accepted'], 410: ['trade-expired'] }],
];

describe('a refused command', () => {
  it.each(table)('is answered as the API description says: %s', async (path, body, refused) => {
    let code: CommandRefusal['code'] = 'not-found';
    const { ask } = await makeWorld(() => ({ commands: commandsThat(() => Promise.resolve(refusing(code))) }));
    for (const [status, codes] of Object.entries(refused))
      for (code of codes) {
        const hidden = status === '404' && /^(?:trade|pixbook)-/.test(code);
        expect(await refusal(await ask('POST', path, { key: 'k', body }))).toEqual([Number(status), hidden ? 'not-found' : code]);
      }
  });
});
