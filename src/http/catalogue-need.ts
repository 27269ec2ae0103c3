import type { CommandContext } from '../command/ledger-commands.ts';
import {
  type CodeId,
  type CollectionId,
  type DropId,
  type UserId,
  parseCodeId,
  parseCollectionId,
  parseDropId,
} from '../receipt/ids.ts';
import { codeStream, collectionStream } from '../receipt/stream.ts';
import { err, ok } from '../result.ts';
import { commanding } from './command-need.ts';
import type { SignedInNeed } from './need.ts';
import { commandContextOf } from './precondition.ts';
import { type Problem, notFound } from './problem.ts';
import { type Reading, reading } from './reader-need.ts';
import type { Service } from './service.ts';
import { untilVisible } from './until-visible.ts';
import { issues, projectionBehind, visible } from './visible.ts';

type Hint = { readonly collectionId?: CollectionId | undefined };

const ISSUER = 'A session, and the role of an issuer or an operator.';

export type CollectionReader = { readonly collectionId: CollectionId };

/** Any user: what is published is for everybody. */
export const collectionReader: SignedInNeed<CollectionReader, Reading> = {
  ...reading,
  name: 'collection reader',
  says: 'A session.',
  grant: async (service, { userId }, { param, query }) => {
    const collectionId = parseCollectionId(param('collectionId'));
    if (!collectionId.ok) return err(notFound);
    return visible(service, userId, async () => collectionStream(collectionId.value), query.minEventId);
  },
};

export type DropPlace = { readonly collectionId: CollectionId; readonly dropId: DropId };

const collectionOf = async ({ queries }: Service, dropId: DropId, { collectionId }: Hint): Promise<CollectionId | null> =>
  collectionId ?? (await queries.drop(dropId))?.collectionId ?? null;

/** Any user, as for its collection. */
export const dropReader: SignedInNeed<DropPlace, Reading & Hint> = {
  ...reading,
  name: 'drop reader',
  says: 'A session.',
  grant: async (service, { userId }, { param, query }) => {
    const dropId = parseDropId(param('dropId'));
    if (!dropId.ok) return err(notFound);
    const streamNow = async () => {
      const collectionId = await collectionOf(service, dropId.value, query);
      return collectionId === null ? null : collectionStream(collectionId);
    };
    const seen = await visible(service, userId, streamNow, query.minEventId);
    return seen.ok ? ok({ collectionId: seen.value.collectionId, dropId: dropId.value }) : seen;
  },
};

/** Issuers and operators; to others there is no such thing. */
export const issuerReader: SignedInNeed<UserId, Reading> = {
  ...reading,
  name: 'issuer reader',
  says: ISSUER,
  grant: async (service, { userId }, { query: { minEventId } }) => {
    if (!(await issues(service, userId))) return err(notFound);
    if (minEventId === undefined) return ok(userId);
    const look = async () => ({ seen: (await service.queries.receipt(minEventId))?.stream.type === 'code', value: null });
    return (await untilVisible(service.clock, look)).seen ? ok(userId) : err(projectionBehind);
  },
};

export type CodeReader = { readonly codeId: CodeId };

/** Issuers and operators. */
export const codeReader: SignedInNeed<CodeReader, Reading> = {
  ...reading,
  name: 'code reader',
  says: ISSUER,
  grant: async (service, { userId }, { param, query }) => {
    const codeId = parseCodeId(param('codeId'));
    if (!codeId.ok) return err(notFound);
    return visible(service, userId, async () => codeStream(codeId.value), query.minEventId);
  },
};

const noIssuer: Problem = { code: 'forbidden', detail: 'only an issuer may do this' };

/** Issuers and operators, for what leaves no receipt. */
export const issuer: SignedInNeed<UserId, unknown> = {
  ...reading,
  name: 'issuer',
  says: ISSUER,
  problems: ['forbidden'],
  grant: async (service, { userId }) => ((await issues(service, userId)) ? ok(userId) : err(noIssuer)),
};

/** What an issuer's command needs is decided where the receipt is made. */
const issuing = { ...commanding, says: `${ISSUER} The identity that signs must be one the issuer controls.` };

export type CollectionCommand = { readonly context: CommandContext; readonly collectionId: CollectionId };

/** As `command`, for the collection in the path. */
export const collectionCommand: SignedInNeed<CollectionCommand, unknown> = {
  ...issuing,
  name: 'collection command',
  grant: async (_service, { userId }, { headers, param }) => {
    const collectionId = parseCollectionId(param('collectionId'));
    if (!collectionId.ok) return err(notFound);
    const context = commandContextOf(userId, headers);
    return context.ok ? ok({ context: context.value, collectionId: collectionId.value }) : context;
  },
};

export type DropCommand = DropPlace & { readonly context: CommandContext };

/** As `command`, for the drop in the path. With `?collectionId=` the projection is not asked, so a wiped one heals by use. */
export const dropCommand: SignedInNeed<DropCommand, Hint> = {
  ...issuing,
  name: 'drop command',
  grant: async (service, { userId }, { headers, param, query }) => {
    const dropId = parseDropId(param('dropId'));
    if (!dropId.ok) return err(notFound);
    const context = commandContextOf(userId, headers);
    if (!context.ok) return context;
    const collectionId = await collectionOf(service, dropId.value, query);
    return collectionId === null ? err(notFound) : ok({ context: context.value, collectionId, dropId: dropId.value });
  },
};

export type CodeCommand = { readonly context: CommandContext; readonly codeId: CodeId };

/** As `command`, for the code whose name is in the path. */
export const codeCommand: SignedInNeed<CodeCommand, unknown> = {
  ...issuing,
  name: 'code command',
  grant: async (_service, { userId }, { headers, param }) => {
    const codeId = parseCodeId(param('codeId'));
    if (!codeId.ok) return err(notFound);
    const context = commandContextOf(userId, headers);
    return context.ok ? ok({ context: context.value, codeId: codeId.value }) : context;
  },
};
