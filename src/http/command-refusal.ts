import type { ProblemCode } from './problem-code.ts';

/** What any command may be refused for. */
const anyCommand = [
  'not-found',
  'forbidden',
  'idempotency-key-reused',
  'head-mismatch',
  'receipt-too-large',
  'queue-full',
  'contended',
  'outcome-unknown',
  'stream-stopped',
  'account-closed',
  'account-suspended',
] as const satisfies readonly ProblemCode[];

/** What a command that an identity of the user's choice signs may be refused for besides. */
const anySigned = [...anyCommand, 'identity-missing', 'identity-revoked'] as const;
const inBook = [...anySigned, 'pixbook-closed'] as const;
/** What keeps a pack from being drawn. */
const noDraw = ['collection-missing', 'drop-missing', 'drop-closed', 'pool-too-small', 'pack-issued'] as const;
const noCopy = ['card-missing', 'card-not-held', 'card-in-escrow', 'card-twice'] as const;
const ended = ['trade-accepted', 'trade-declined', 'trade-cancelled', 'trade-expired'] as const;

/** What the commands of each kind may be refused for, over and above their input. */
export const refusals = {
  account: [...anyCommand, 'account-exists', 'role-not-allowed'],
  member: [...anyCommand, 'member-exists', 'member-missing', 'last-owner', 'role-not-allowed', 'too-many-members'],
  invitation: [
    ...anyCommand,
    'member-exists',
    'role-not-allowed',
    'too-many-members',
    'too-many-invitations',
    'invitation-exists',
    'invitation-over',
  ],
  standing: [...anyCommand, 'role-not-allowed', 'account-not-suspended', 'plan-unchanged'],
  identity: [
    ...anySigned,
    'identity-exists',
    'member-missing',
    'too-many-identities',
    'too-many-keys',
    'operator-identity-fixed',
  ],
  newPixbook: [...anySigned, 'collection-missing', 'pixbook-exists', 'too-many-pixbooks'],
  save: [...inBook, 'stale-base', 'state-too-large'],
  closing: [...inBook, 'trade-pending'],
  collection: [...anySigned, 'collection-missing', 'version-published', 'version-skipped', 'catalogue-invalid', 'art-missing'],
  series: [...anySigned, 'collection-missing', 'series-missing', 'series-retired'],
  drop: [...anySigned, 'collection-missing', 'drop-exists', 'drop-missing', 'drop-closed', 'too-many-drops', 'pool-too-small'],
  code: [...anySigned, 'code-missing', 'code-claimed', 'code-revoked'],
  claim: [...inBook, ...noDraw, 'code-missing', 'code-claimed', 'code-revoked', 'code-of-other-collection'],
  pack: [...inBook, ...noDraw],
  opening: [...inBook, 'pack-missing', 'pack-opened'],
  cards: [...inBook, ...noCopy, 'collection-missing'],
  offer: [
    ...inBook,
    ...noCopy,
    'trade-target-missing',
    'trade-with-itself',
    'trade-want-mismatch',
    'trade-expiry-invalid',
    'too-many-trades',
  ],
  trade: [...inBook, ...ended, 'trade-reserved'],
  acceptance: [...inBook, ...noCopy, ...ended, 'trade-reserved', 'trade-want-mismatch', 'too-many-trades'],
} as const satisfies { readonly [kind: string]: readonly ProblemCode[] };
