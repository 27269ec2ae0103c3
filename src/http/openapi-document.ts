import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../port/clock.ts';
import { publicKeyIdOf } from '../receipt/hash.ts';
import type { ApiDocument } from './api-document.ts';
import { createApp } from './app.ts';
import type { HttpParts } from './parts.ts';

const inert = (): never => {
  throw new TypeError('this app was made to be described, not to be used');
};

/** Parts that do nothing: the description follows from the routes alone. */
const inertParts = (): HttpParts => ({
  commands: {
    createAccount: inert,
    addMember: inert,
    changeMemberRole: inert,
    removeMember: inert,
    closeAccount: inert,
    createIdentity: inert,
    rotateKey: inert,
    revokeIdentity: inert,
    createPixbook: inert,
    save: inert,
    closePixbook: inert,
  },
  queries: {
    membership: inert,
    memberships: inert,
    account: inert,
    members: inert,
    identities: inert,
    identity: inert,
    key: inert,
    pixbooks: inert,
    pixbook: inert,
    receipt: inert,
    head: inert,
  },
  store: { description: 'none', create: inert, read: inert, exists: inert, list: inert, discard: inert, close: inert },
  authentication: { session: inert, handle: inert, close: inert },
  health: inert,
  verifyStream: inert,
  ledger: { fingerprint: publicKeyIdOf(new Uint8Array()), publicKey: '' },
  clock: systemClock,
  log: pino({ level: 'silent' }),
  metrics: new Registry(),
  config: { publicUrl: 'http://localhost', trustedOrigins: [], trustedProxies: 0 },
});

/** The OpenAPI 3.1 document of every route, as the service itself answers it at /openapi.json. Needs no database. */
export const openApiDocument = async (): Promise<ApiDocument> => {
  const response = await createApp(inertParts()).request('/openapi.json');
  return (await response.json()) as ApiDocument;
};
