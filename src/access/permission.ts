/**
 * Who may do what: the one table. Every operation of the API has a line here, and the service does not start while one has none. `who` is
 * checked where the request is answered (`authorise.ts` on the account's receipts), `scope` and `limit` before anything else is looked at.
 */
export type Permission = { readonly who: Who; readonly scope: Scope | null; readonly limit: LimitClass };

/** What an API key may be let do. A session may do all of it. */
export const scopes = [
  'accounts:read',
  'accounts:write',
  'billing:read',
  'pixbooks:read',
  'pixbooks:write',
  'trades:read',
  'trades:write',
  'catalogue:read',
  'catalogue:write',
  'codes:read',
  'codes:write',
  'admin:read',
  'admin:write',
  'operations:read',
] as const;
export type Scope = (typeof scopes)[number];

/** How often something may be done: see `http/limit`. `public` and `probe` are counted by address alone, and `probe` not at all. */
export const limitClasses = ['probe', 'public', 'sign-in', 'read', 'command', 'claim', 'admin'] as const;
export type LimitClass = (typeof limitClasses)[number];

/** Whom an operation is for, in words for people. */
export const whoSays = {
  anyone: 'anyone, signed in or not',
  person: 'a person who is signed in; never an API key',
  user: 'any user, about what is theirs or for all users',
  reader: 'any role in the account: owner, member, viewer',
  party: 'any role in the account of either book of the trade',
  owner: 'an owner of the account',
  keeper: 'an owner of the account; for the operator’s account an operator',
  leaver: 'an owner of the account; any member for themselves',
  signer: 'an owner; a member with an identity they control',
  collector: 'as signer, for the book; or an issuer',
  invited: 'whoever holds the invitation’s secret',
  issuer: 'an issuer with an identity they control; an operator',
  orderer: 'the issuer who ordered it; an operator',
  operator: 'an operator',
  scraper: 'an operator; the scraper that shows METRICS_TOKEN',
} as const;
export type Who = keyof typeof whoSays;

const anyone = { who: 'anyone', scope: null } as const;

const can = (who: Who, scope: Scope, limit: LimitClass = scope.endsWith(':read') ? 'read' : 'command'): Permission => ({
  who,
  scope,
  limit,
});
const person = (limit: LimitClass): Permission => ({ who: 'person', scope: null, limit });

/** By `operationId`. */
export const permissions = {
  createAccount: can('user', 'accounts:write'),
  listAccounts: can('user', 'accounts:read'),
  readAccount: can('reader', 'accounts:read'),
  listAccountReceipts: can('reader', 'accounts:read'),
  verifyAccount: can('reader', 'accounts:read'),
  closeAccount: can('keeper', 'accounts:write'),
  readUsage: can('owner', 'billing:read'),
  listMembers: can('reader', 'accounts:read'),
  addMember: can('keeper', 'accounts:write'),
  changeMemberRole: can('keeper', 'accounts:write'),
  removeMember: can('leaver', 'accounts:write'),
  listInvitations: can('keeper', 'accounts:read'),
  inviteMember: can('keeper', 'accounts:write'),
  withdrawInvitation: can('keeper', 'accounts:write'),
  acceptInvitation: can('invited', 'accounts:write', 'claim'),
  listIdentities: can('reader', 'accounts:read'),
  createIdentity: can('signer', 'accounts:write'),
  readIdentity: can('reader', 'accounts:read'),
  rotateKey: can('signer', 'accounts:write'),
  revokeIdentity: can('signer', 'accounts:write'),

  createPixbook: can('signer', 'pixbooks:write'),
  listPixbooks: can('user', 'pixbooks:read'),
  readPixbook: can('reader', 'pixbooks:read'),
  listPixbookReceipts: can('reader', 'pixbooks:read'),
  verifyPixbook: can('reader', 'pixbooks:read'),
  savePixbook: can('signer', 'pixbooks:write'),
  closePixbook: can('signer', 'pixbooks:write'),
  listPacks: can('reader', 'pixbooks:read'),
  readPack: can('reader', 'pixbooks:read'),
  readPackCertificate: can('reader', 'pixbooks:read'),
  issuePack: can('collector', 'pixbooks:write'),
  openPack: can('signer', 'pixbooks:write'),
  listCards: can('reader', 'pixbooks:read'),
  readCompletion: can('reader', 'pixbooks:read'),
  addCards: can('issuer', 'catalogue:write'),
  removeCards: can('issuer', 'catalogue:write'),
  claimCode: can('signer', 'pixbooks:write', 'claim'),

  offerTrade: can('signer', 'trades:write'),
  listTrades: can('user', 'trades:read'),
  readTrade: can('party', 'trades:read'),
  readTradeCertificate: can('party', 'trades:read'),
  acceptTrade: can('signer', 'trades:write'),
  declineTrade: can('signer', 'trades:write'),
  cancelTrade: can('signer', 'trades:write'),

  createCollection: can('issuer', 'catalogue:write'),
  listCollections: can('user', 'catalogue:read'),
  readCollection: can('user', 'catalogue:read'),
  listCollectionReceipts: can('user', 'catalogue:read'),
  verifyCollection: can('user', 'catalogue:read'),
  publishVersion: can('issuer', 'catalogue:write'),
  retireSeries: can('issuer', 'catalogue:write'),
  listDrops: can('user', 'catalogue:read'),
  openDrop: can('issuer', 'catalogue:write'),
  readDrop: can('user', 'catalogue:read'),
  closeDrop: can('issuer', 'catalogue:write'),
  putArt: can('issuer', 'catalogue:write'),
  readArt: { ...anyone, limit: 'public' },

  listCodes: can('issuer', 'codes:read'),
  readCode: can('issuer', 'codes:read'),
  revokeCode: can('issuer', 'codes:write'),
  orderPacks: can('issuer', 'catalogue:write'),
  orderCodes: can('issuer', 'codes:write'),
  readBatch: can('orderer', 'codes:read'),
  showCodes: can('orderer', 'codes:write'),

  readReceipt: can('reader', 'pixbooks:read'),
  readKey: { ...anyone, limit: 'public' },
  readLedgerIdentity: { ...anyone, limit: 'public' },

  suspendAccount: can('operator', 'admin:write', 'admin'),
  resumeAccount: can('operator', 'admin:write', 'admin'),
  changePlan: can('operator', 'admin:write', 'admin'),
  startRun: can('operator', 'admin:write', 'admin'),
  listRuns: can('operator', 'admin:read', 'admin'),
  readRun: can('operator', 'admin:read', 'admin'),
  readAllowances: can('operator', 'admin:read', 'admin'),
  resetAllowances: can('operator', 'admin:write', 'admin'),
  listAuditTrail: can('operator', 'admin:read', 'admin'),

  signInPost: { ...anyone, limit: 'sign-in' },
  signInGet: { ...anyone, limit: 'public' },
  listSessions: person('read'),
  revokeSession: person('command'),
  listApiKeys: person('read'),
  createApiKey: person('command'),
  revokeApiKey: person('command'),

  readHealth: { ...anyone, limit: 'probe' },
  readReadiness: { ...anyone, limit: 'probe' },
  readMetrics: can('scraper', 'operations:read', 'probe'),
  readHome: { ...anyone, limit: 'public' },
  readSignInPage: { ...anyone, limit: 'public' },
  readPageScript: { ...anyone, limit: 'public' },
  readReference: { ...anyone, limit: 'public' },
  readReferenceScript: { ...anyone, limit: 'public' },
  readOpenApiJson: { ...anyone, limit: 'public' },
  readOpenApiYaml: { ...anyone, limit: 'public' },
  readProblems: { ...anyone, limit: 'public' },
  readProblem: { ...anyone, limit: 'public' },
} as const satisfies { readonly [operationId: string]: Permission };

export type OperationId = keyof typeof permissions;

/** The line of an operation, or null when nobody wrote one: then nobody may do it. */
export const permissionOf = (operationId: string): Permission | null =>
  Object.hasOwn(permissions, operationId) ? permissions[operationId as OperationId] : null;
