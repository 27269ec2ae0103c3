import { createHash } from 'node:crypto';
import { catchUp } from '../../src/command/catch-up.ts';
import { commitReceipt } from '../../src/command/commit.ts';
import type { Acknowledged, Catalogue, CommandContext, CommandOutcome } from '../../src/command/ledger-commands.ts';
import { createdAtAfter, signNext } from '../../src/command/sign-receipt.ts';
import { nextPosition } from '../../src/receipt/chain.ts';
import {
  type CollectionId,
  type DropId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type Sha256,
  type UserId,
  collectionIdFor,
  dropIdFor,
  identityIdFor,
  parseCardId,
  parseSeriesId,
} from '../../src/receipt/ids.ts';
import { artKeyOf, eventIdAt, keyAt } from '../../src/receipt/key-path.ts';
import { accountStream } from '../../src/receipt/stream.ts';
import { type Process, type World, asks } from '../crash/world.ts';
import { granted } from '../ledger-fixture.ts';

/** A published collection with an open drop, and the issuer's identity that signs for it. */
export type Publication = { readonly identityId: IdentityId; readonly collectionId: CollectionId; readonly dropId: DropId };

export const issuer = 'usr_issuer' as UserId;
export const issuerAsks = (key: string): CommandContext => asks(key, issuer);

/** The answer of a command that a test takes for granted. */
export const done = async (command: Promise<CommandOutcome>): Promise<Acknowledged> => granted(await command);

/** A catalogue of these cards, each of the series that the part before its hyphen names. */
export const catalogueOf = (version: number, ...cardIds: readonly string[]): Catalogue => ({
  version,
  title: `Cards, version ${version}`,
  series: [...new Set(cardIds.map(seriesOf))].map((seriesId) => ({
    seriesId: granted(parseSeriesId(seriesId)),
    title: seriesId,
  })),
  cards: cardIds.map((cardId) => ({
    cardId: granted(parseCardId(cardId)),
    seriesId: granted(parseSeriesId(seriesOf(cardId))),
    title: cardId,
    artHash: artHashOf(cardId),
  })),
});

const seriesOf = (cardId: string): string => cardId.replace(/-.*/, '');
const artHashOf = (cardId: string): Sha256 => `sha256:${createHash('sha256').update(artOf(cardId)).digest('hex')}` as Sha256;
const artOf = (cardId: string): Uint8Array => Buffer.from(`art of ${cardId}`);

/** Puts the art of a catalogue's cards where publishing looks for it. */
export const putArt = ({ objects }: Pick<World, 'objects'>, { cards }: Catalogue): void => {
  for (const { cardId, artHash } of cards) objects.set(artKeyOf(artHash), artOf(cardId));
};

/** Makes a user a member of the operator's account, as the service does at its start: the ledger has no command for the first one. */
export const appointOperator = async ({ ports }: Process, userId: UserId): Promise<void> => {
  const stream = accountStream(OPERATOR_ACCOUNT_ID);
  const { head } = granted(await catchUp(ports, stream));
  const idempotencyKey = `operator-${userId}` as IdempotencyKey;
  const { operator } = await ports.readModel.accountView({ stream, idempotencyKey, userId: null, identityId: null });
  if (operator === null) throw new Error('the ledger has no genesis');
  const event = { type: 'MEMBER_ADDED', payload: { userId, role: 'operator', by: userId } } as const;
  const here = { stream, head, eventId: eventIdAt(stream, nextPosition(head)), at: createdAtAfter(ports.clock, head) };
  const stored = await signNext(ports, { ...here, event, idempotencyKey, issuer: operator });
  const outcome = await commitReceipt(ports, keyAt(stream, stored.position), stored.bytes);
  if (outcome !== 'durable') throw new Error(`the operator's appointment is ${outcome}`);
  granted(await catchUp(ports, stream));
};

/** Collections of one card under ids of the test's choice, for books that nothing but saves will happen to. */
export const publishBare = async (world: World, process: Process, ...collectionIds: readonly CollectionId[]): Promise<void> => {
  const catalogue = catalogueOf(1, 'bare-card');
  putArt(world, catalogue);
  await appointOperator(process, issuer);
  for (const collectionId of collectionIds)
    await done(
      process.commands.publishCollection(issuerAsks(`bare-${collectionId}`), {
        ...{ identityId: OPERATOR_IDENTITY_ID, collectionId, catalogue },
      }),
    );
};

/** An issuer with an identity, a collection of these cards, and a drop of it that is open. */
export const publish = async (
  world: World,
  process: Process,
  { cards, packSize }: { readonly cards: readonly string[]; readonly packSize: number },
): Promise<Publication> => {
  const { commands } = process;
  const catalogue = catalogueOf(1, ...cards);
  await appointOperator(process, issuer);
  await done(commands.createIdentity(issuerAsks('issuer'), OPERATOR_ACCOUNT_ID, issuer));
  const identityId = identityIdFor(OPERATOR_ACCOUNT_ID, 'issuer' as IdempotencyKey);
  putArt(world, catalogue);
  await done(commands.publishCollection(issuerAsks('collection'), { identityId, collectionId: null, catalogue }));
  const collectionId = collectionIdFor(identityId, 'collection' as IdempotencyKey);
  await done(commands.openDrop(issuerAsks('drop'), { identityId, collectionId, title: 'Week 1', packSize }));
  return { identityId, collectionId, dropId: dropIdFor(collectionId, 'drop' as IdempotencyKey) };
};
