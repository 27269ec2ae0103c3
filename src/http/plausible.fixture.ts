import { type OperationId, type Permission, permissionOf } from '../access/permission.ts';
import { CATALOGUE } from './collector.fixture.ts';
import { CLERK, type Crowd, ISSUER, LEAVER, MEMBER } from './crowded.fixture.ts';
import type { AskOptions } from './ledger.fixture.ts';
import { openApiDocument } from './openapi-document.ts';

/** An operation as the API description has it. */
export type Described = {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** `/v1/accounts/{accountId}` */
  readonly path: string;
  readonly members: readonly string[];
  readonly mediaTypes: readonly string[];
  readonly isSecured: boolean;
  readonly isCommand: boolean;
};

type DocumentOperation = {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly $ref?: string }[];
  readonly requestBody?: { readonly content: object };
};

/** Every operation of the API description. */
export const operationsOf = async (): Promise<readonly Described[]> => {
  const { paths } = (await openApiDocument()) as unknown as { paths: Record<string, Record<string, DocumentOperation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, parameters = [], requestBody }]) => ({
      id: operationId,
      method: method.toUpperCase() as Described['method'],
      path,
      members: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
      mediaTypes: Object.keys(requestBody?.content ?? {}),
      isSecured: security.length > 0,
      isCommand: parameters.some(({ $ref }) => $ref?.endsWith('/IdempotencyKey') === true),
    })),
  );
};

/** The sign-in system's routes are two lines of the table, and it says itself who may use which. */
export const isSignInSystem = ({ path }: Pick<Described, 'path'>): boolean => path.startsWith('/v1/auth/');

const rowIdOf = (operation: Described): string =>
  isSignInSystem(operation) ? (operation.method === 'GET' ? 'signInGet' : 'signInPost') : operation.id;

export const rowOf = (operation: Described): (Permission & { readonly id: string }) | null => {
  const row = permissionOf(rowIdOf(operation));
  return row === null ? null : { ...row, id: rowIdOf(operation) };
};

/** Where accounts are meant: in the family, or in the operator's account. */
export type Place = 'family' | 'office';

/** What a member of a path stands for. */
export const membersOf = (crowd: Crowd, { id }: Described, place: Place): Readonly<Record<string, string>> => {
  const { outgoing, incoming, settled } = crowd.trades;
  const trades: { readonly [id: string]: string } = {
    acceptTrade: incoming,
    declineTrade: incoming,
    readTradeCertificate: settled,
  };
  return {
    ...{
      bookId: id === 'closePixbook' ? crowd.idleBookId : crowd.bookId,
      packId: crowd.packId,
      eventId: crowd.eventId,
      publicKeyId: crowd.publicKeyId,
    },
    ...{ collectionId: crowd.collectionId, dropId: crowd.dropId, codeId: crowd.codeId, batchId: crowd.batchId },
    ...{ tradeId: trades[id] ?? outgoing, artHash: crowd.art.hash, code: 'stale-base', script: 'sign-in.js' },
    ...{ runId: crowd.runId, sessionId: SESSION_ID, apiKeyId: API_KEY_ID },
    ...(place === 'family'
      ? {
          ...{
            accountId: id === 'resumeAccount' ? crowd.suspendedAccountId : crowd.accountId,
            identityId: crowd.identityId,
            userId: LEAVER,
          },
          invitationId: crowd.invitation.invitationId,
        }
      : {
          ...{ accountId: 'acc_operator', identityId: crowd.issuerIdentityId, userId: CLERK },
          invitationId: crowd.operatorInvitation.invitationId,
        }),
  };
};

/** Everybody's session and API key of these names is their own. */
export const SESSION_ID = 'ses_01JZ0000000000000000000000';
export const API_KEY_ID = 'key_01JZ0000000000000000000000';

/** The path with its members filled in. Throws when nobody said what one stands for. */
export const pathOf = (crowd: Crowd, operation: Described, place: Place = 'family'): string =>
  filled(operation, membersOf(crowd, operation, place));

export const filled = ({ path }: Pick<Described, 'path'>, members: Readonly<Record<string, string>>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = members[name];
    if (value === undefined) throw new Error(`say in plausible.fixture.ts what {${name}} of ${path} stands for`);
    return value;
  });

/** Whoever asks says who signs only when it is an issuer: collectors' receipts are signed with the identity of their book. */
type Asker = { readonly isIssuer: boolean };

type Body = (crowd: Crowd, place: Place, asker: Asker) => unknown;

const signedByIssuer: Body = ({ issuerIdentityId }) => ({ identityId: issuerIdentityId });
const nothing: Body = () => ({});

/** A valid body for every operation that takes one. */
export const bodies: { readonly [I in OperationId]?: Body } & { readonly [id: string]: Body | undefined } = {
  createAccount: nothing,
  closeAccount: nothing,
  addMember: (_crowd, place) => ({ userId: 'usr_newcomer', role: place === 'family' ? 'viewer' : 'issuer' }),
  changeMemberRole: (_crowd, place) => ({ role: place === 'family' ? 'member' : 'operator' }),
  removeMember: nothing,
  inviteMember: (_crowd, place) => ({ role: place === 'family' ? 'viewer' : 'issuer' }),
  withdrawInvitation: nothing,
  acceptInvitation: ({ invitation, operatorInvitation }, place) => ({
    secret: (place === 'family' ? invitation : operatorInvitation).secret,
  }),
  createIdentity: (_crowd, place) => ({ controller: place === 'family' ? MEMBER : ISSUER }),
  rotateKey: nothing,
  revokeIdentity: nothing,

  createPixbook: ({ accountId, identityId, otherCollectionId }) => ({ accountId, identityId, collectionId: otherCollectionId }),
  savePixbook: ({ headEventId }) => ({ state: { shelf: [1, 2] }, baseEventId: headEventId }),
  closePixbook: nothing,
  issuePack: ({ freshDropId, issuerIdentityId }, _place, { isIssuer }) => ({
    dropId: freshDropId,
    ...(isIssuer ? { identityId: issuerIdentityId } : {}),
  }),
  openPack: ({ packId }) => ({ packId }),
  addCards: (crowd, ...rest) => ({ cardIds: ['cod'], reason: 'a present', ...(signedByIssuer(crowd, ...rest) as object) }),
  removeCards: ({ heldInstanceId, issuerIdentityId }) => ({
    ...{ instanceIds: [heldInstanceId], reason: 'a mistake', identityId: issuerIdentityId },
  }),
  claimCode: ({ code, bookId }) => ({ code, bookId }),

  offerTrade: ({ bookId, partner, heldInstanceId, expiresAt }) => ({
    ...{ bookId, to: { bookId: partner.bookId }, give: [heldInstanceId], want: { cardIds: ['eel'] }, expiresAt },
  }),
  acceptTrade: nothing,
  declineTrade: nothing,
  cancelTrade: nothing,

  createCollection: ({ issuerIdentityId }) => ({ ...CATALOGUE, title: 'Again', identityId: issuerIdentityId }),
  publishVersion: ({ issuerIdentityId }) => ({ ...CATALOGUE, version: 2, title: 'Anew', identityId: issuerIdentityId }),
  retireSeries: ({ issuerIdentityId }) => ({ seriesId: 'sea', identityId: issuerIdentityId }),
  openDrop: ({ issuerIdentityId }) => ({ title: 'Week 3', packSize: 3, identityId: issuerIdentityId }),
  closeDrop: signedByIssuer,
  revokeCode: signedByIssuer,
  orderPacks: ({ collectionId, freshDropId, bookId, issuerIdentityId }) => ({
    ...{ collectionId, dropId: freshDropId, books: [{ bookId }], identityId: issuerIdentityId },
  }),
  orderCodes: ({ collectionId, freshDropId, issuerIdentityId }) => ({
    ...{ collectionId, dropId: freshDropId, count: 1, identityId: issuerIdentityId },
  }),
  showCodes: nothing,

  suspendAccount: () => ({ reason: 'a complaint' }),
  resumeAccount: nothing,
  changePlan: () => ({ plan: 'pro' }),
  startRun: () => ({ kind: 'drift' }),
  resetAllowances: nothing,

  revokeSession: nothing,
  createApiKey: () => ({ name: 'A scanner', scopes: ['pixbooks:read'] }),
  revokeApiKey: nothing,
};

let keys = 0;

/** A request of the operation that would go through if whoever asks may do it. Each has an Idempotency-Key of its own. */
export const plausible = (
  crowd: Crowd,
  operation: Described,
  { place = 'family', isIssuer = false }: { readonly place?: Place; readonly isIssuer?: boolean } = {},
): Pick<AskOptions, 'body' | 'key' | 'headers'> => {
  const key = operation.isCommand ? { key: `plausible-${keys++}` } : {};
  const [mediaType = ''] = operation.mediaTypes;
  if (operation.id === 'putArt') return { body: crowd.art.svg, headers: { 'Content-Type': 'image/svg+xml' } };
  if (mediaType === '') return key;
  // What the sign-in system takes is its own to say.
  const body = bodies[operation.id] ?? (isSignInSystem(operation) ? nothing : undefined);
  if (body === undefined) throw new Error(`say in plausible.fixture.ts what ${operation.id} takes as its body`);
  return { ...key, body: body(crowd, place, { isIssuer }) };
};
