import { hash } from 'node:crypto';
import { OPERATOR_IDENTITY_ID, parseCollectionId, parseDropId, parseIdempotencyKey } from '../receipt/ids.ts';
import { type Code, codeIdOf, newCode } from '../stream/code/secret.ts';
import { ADA, CODE_KEY, OPERATOR, type World, said } from './ledger.fixture.ts';

/** What tests of cards begin with: made over HTTP, except for single codes, which no route makes. */

const svgOf = (cardId: string): Buffer => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><title>${cardId}</title></svg>`);
const hashOf = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes, 'hex')}`;

/** Eight cards in two series. */
export const CATALOGUE = {
  title: 'Small animals',
  series: [
    { seriesId: 'forest', title: 'In the forest' },
    { seriesId: 'sea', title: 'In the sea' },
  ],
  cards: ['fox', 'owl', 'elk', 'bat', 'eel', 'cod', 'ray', 'tuna'].map((cardId, i) => ({
    cardId,
    seriesId: i < 4 ? 'forest' : 'sea',
    title: cardId.toUpperCase(),
    artHash: hashOf(svgOf(cardId)),
  })),
};

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A command that must go through: what it answers. */
export const done = async (
  { ask }: Pick<World, 'ask'>,
  as: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> => {
  const answer = await ask('POST', path, {
    as,
    key: `${as} ${path} ${hashOf(Buffer.from(JSON.stringify(body ?? null)))}`.replaceAll(' ', '_'),
    body,
  });
  if (answer.status > 299) throw new Error(`${path}: ${await answer.text()}`);
  return said(answer);
};

export const putArt = ({ ask }: Pick<World, 'ask'>, cardId: string): Promise<Response> => {
  const headers = { 'Content-Type': 'image/svg+xml' };
  return ask('PUT', `/v1/art/${hashOf(svgOf(cardId))}`, { as: OPERATOR, body: svgOf(cardId), headers });
};

export type Published = { readonly collectionId: string; readonly dropId: string };

/** The catalogue published, with a drop of packs of three. */
export const publish = async (world: Pick<World, 'ask'>): Promise<Published> => {
  for (const { cardId } of CATALOGUE.cards) await putArt(world, cardId);
  const collectionId = text((await done(world, OPERATOR, '/v1/collections', CATALOGUE)).collectionId);
  const drop = await done(world, OPERATOR, `/v1/collections/${collectionId}/drops`, { title: 'Week 1', packSize: 3 });
  return { collectionId, dropId: text(drop.dropId) };
};

export type Collector = {
  readonly user: string;
  readonly accountId: string;
  readonly identityId: string;
  readonly bookId: string;
};

/** A user with an account, an identity and a pixbook. */
export const collector = async (world: Pick<World, 'ask'>, collectionId: string, user: string = ADA): Promise<Collector> => {
  const accountId = text((await done(world, user, '/v1/accounts')).accountId);
  const identity = await done(world, user, `/v1/accounts/${accountId}/identities`, { controller: user });
  const identityId = text(identity.identityId);
  const book = await done(world, user, '/v1/pixbooks', { accountId, identityId, collectionId });
  return { user, accountId, identityId, bookId: text(book.bookId) };
};

/** Copies of these cards, granted to a book: their ids. */
export const grant = async (world: Pick<World, 'ask'>, { bookId }: Collector, cardIds: readonly string[]): Promise<string[]> => {
  const granted = await done(world, OPERATOR, `/v1/pixbooks/${bookId}/commands/add-cards`, { cardIds, reason: 'a present' });
  return granted.instanceIds as string[];
};

const BATCH = 'bat_00000000000000000000000001';

/** The code with a number, as it is printed, and its name. It is not made yet. */
export const codeAt = (index: number): { readonly code: Code; readonly codeId: ReturnType<typeof codeIdOf> } => {
  const code = newCode(CODE_KEY, BATCH, index);
  return { code, codeId: codeIdOf(CODE_KEY, code) };
};

/** Makes that code, worth a pack of the drop. */
export const makeCode = async ({ parts }: Pick<World, 'parts'>, published: Published, index: number): Promise<Code> => {
  const [collectionId, dropId] = [parseCollectionId(published.collectionId), parseDropId(published.dropId)];
  const idempotencyKey = parseIdempotencyKey(`code-${index}`);
  if (!collectionId.ok || !dropId.ok || !idempotencyKey.ok) throw new Error('malformed');
  const { code, codeId } = codeAt(index);
  const context = { userId: OPERATOR, idempotencyKey: idempotencyKey.value, ifMatch: null };
  const asked = { codeId, collectionId: collectionId.value, dropId: dropId.value, batchId: BATCH };
  const made = await parts.commands.createCode(context, { identityId: OPERATOR_IDENTITY_ID, ...asked });
  if (!made.ok) throw new Error(made.error.detail);
  return code;
};
