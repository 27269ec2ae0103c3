import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { LedgerCommands } from '../command/ledger-commands.ts';
import { systemClock } from '../port/clock.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import { publicKeyIdOf } from '../receipt/hash.ts';
import type { ApiDocument } from './api-document.ts';
import { createApp } from './app.ts';
import type { HttpParts } from './parts.ts';

const inert = (): never => {
  throw new TypeError('this app was made to be described, not to be used');
};

const inertCommands: LedgerCommands = {
  createAccount: inert,
  addMember: inert,
  changeMemberRole: inert,
  removeMember: inert,
  closeAccount: inert,
  inviteMember: inert,
  acceptInvitation: inert,
  withdrawInvitation: inert,
  suspendAccount: inert,
  resumeAccount: inert,
  changePlan: inert,
  createIdentity: inert,
  rotateKey: inert,
  revokeIdentity: inert,
  createPixbook: inert,
  save: inert,
  closePixbook: inert,
  publishCollection: inert,
  retireSeries: inert,
  openDrop: inert,
  closeDrop: inert,
  createCode: inert,
  revokeCode: inert,
  addCards: inert,
  removeCards: inert,
  issuePack: inert,
  openPack: inert,
  claimCode: inert,
  offerTrade: inert,
  acceptTrade: inert,
  declineTrade: inert,
  cancelTrade: inert,
};

const inertQueries: LedgerQueries = {
  membership: inert,
  memberships: inert,
  account: inert,
  members: inert,
  identities: inert,
  invitations: inert,
  written: inert,
  identity: inert,
  key: inert,
  pixbooks: inert,
  pixbook: inert,
  accountOfBook: inert,
  collections: inert,
  collection: inert,
  drops: inert,
  drop: inert,
  codes: inert,
  code: inert,
  packs: inert,
  pack: inert,
  cards: inert,
  holdings: inert,
  trades: inert,
  trade: inert,
  dueTrades: inert,
  receipt: inert,
  head: inert,
};

/** Parts that do nothing: the description follows from the routes alone. */
const inertParts = (): HttpParts => ({
  commands: inertCommands,
  batches: { order: inert, read: inert, showCodes: inert },
  runs: { start: inert, read: inert, list: inert },
  auditTrail: { add: inert, entries: inert },
  meter: { commands: inert },
  queries: inertQueries,
  store: {
    description: 'none',
    create: inert,
    replaceDerived: inert,
    read: inert,
    exists: inert,
    list: inert,
    survey: inert,
    discard: inert,
    close: inert,
  },
  cold: { snapshot: inert, begin: inert },
  authentication: {
    session: inert,
    handle: inert,
    sessions: inert,
    revokeSession: inert,
    apiKeys: inert,
    createApiKey: inert,
    revokeApiKey: inert,
    close: inert,
  },
  limiter: {
    take: () => Promise.resolve({ allowed: true, refused: null, retryMs: null, standings: [] }), // the description is asked for as by anyone
    look: inert,
    reset: inert,
    shared: inert,
    close: inert,
  },
  health: inert,
  verifyStream: inert,
  certificates: { tradeCertificate: inert, packCertificate: inert },
  codeNames: { codeIdOf: inert },
  invitations: { secretOf: inert, isSecret: inert },
  ledger: { fingerprint: publicKeyIdOf(new Uint8Array()), publicKey: '' },
  clock: systemClock,
  log: pino({ level: 'silent' }),
  metrics: new Registry(),
  config: { publicUrl: 'http://localhost', trustedOrigins: [], trustedProxies: 0, metricsToken: null },
});

/** The OpenAPI 3.1 document of every route, as the service itself answers it at /openapi.json. Needs no database. */
export const openApiDocument = async (): Promise<ApiDocument> => {
  const response = await createApp(inertParts()).request('/openapi.json');
  return (await response.json()) as ApiDocument;
};
