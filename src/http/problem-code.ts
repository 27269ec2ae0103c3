import type { BatchRefusal } from '../command/batch-commands.ts';
import type { CommandRefusal } from '../command/ledger-commands.ts';
import type { OutageCode } from '../port/outage.ts';
import { cardProblems } from './card-problem.ts';
import { type ArtCode, catalogueProblems } from './catalogue-problem.ts';
import { type ProblemKind, kind, later } from './problem-kind.ts';

/** Never said as such: to whoever may not see such a thing, and to everyone else, it is simply not there. */
const unspoken = ['account-missing', 'pixbook-missing', 'trade-missing', 'trade-not-yours', 'batch-missing'] as const;
type Unspoken = (typeof unspoken)[number];

/** What this layer itself refuses, or has to admit. */
type HttpCode =
  | 'malformed-request'
  | 'request-timeout'
  | 'headers-too-large'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'unauthenticated'
  | 'sign-in-refused'
  | 'sign-up-refused'
  | 'rate-limited'
  | 'origin-not-trusted'
  | 'scope-missing'
  | 'person-required'
  | 'session-not-fresh'
  | 'too-many-api-keys'
  | 'unsupported-media-type'
  | 'body-too-large'
  | 'invalid-json'
  | 'invalid-request'
  | 'idempotency-key-missing'
  | 'idempotency-key-malformed'
  | 'if-match-malformed'
  | 'as-of-not-found'
  | 'as-of-too-far'
  | 'projection-behind'
  | 'too-busy'
  | 'not-ready'
  | 'receipt-lost'
  | 'certificate-missing'
  | 'run-under-way'
  | 'internal-error';

/** Why the layer below refuses. */
export type RefusalCode = CommandRefusal['code'] | BatchRefusal['code'];

/** Every `code` an error body can carry. Stable: clients switch on them. */
export type ProblemCode = Exclude<RefusalCode, Unspoken> | OutageCode | HttpCode | ArtCode;

const sameKey = 'Repeat the request with the same Idempotency-Key.';
const nothingWritten = `A command that gets this answer wrote nothing. ${sameKey}`;

/** The one table where codes meet HTTP. It does not compile while a code is missing. */
export const problemKinds: { readonly [C in ProblemCode]: ProblemKind } = {
  ...catalogueProblems,
  ...cardProblems,
  'malformed-request': kind(400, 'Not an HTTP request', 'The bytes are not an HTTP/1.1 request this service can take apart.'),
  'invalid-json': kind(
    400,
    'The body is not I-JSON',
    'Bodies are JSON as RFC 7493 restricts it; errors[] names the place and the reason.',
  ),
  'invalid-request': kind(400, 'The request is not what this route takes', 'errors[] names every member at fault.'),
  'idempotency-key-missing': kind(
    400,
    'Idempotency-Key is missing',
    'Send a new random UUID with each new command, and the same one when repeating it.',
  ),
  'idempotency-key-malformed': kind(400, 'Idempotency-Key is malformed', 'A key is 1 to 255 visible ASCII characters.'),
  'if-match-malformed': kind(400, 'If-Match is malformed', 'Send one ETag exactly as it was received, quotes included, or *.'),
  unauthenticated: kind(
    401,
    'Not signed in',
    'Sign in at /v1/auth and send the session’s cookie or bearer token, or an API key.',
  ),
  'sign-in-refused': kind(
    401,
    'Sign-in refused',
    'The e-mail address or the password is wrong, the passkey is not known, or the session is over.',
  ),
  forbidden: kind(403, 'Not allowed', 'Your role in the account does not allow this.'),
  'origin-not-trusted': kind(
    403,
    'This origin may not act with a cookie',
    'Commands with a session cookie are taken from this service’s own origin and the trusted ones only.',
  ),
  'scope-missing': kind(403, 'The API key may not do this', 'Make a key with the scope that detail names.'),
  'person-required': kind(403, 'Not for API keys', 'Sign in as a person: a key can neither make keys nor end sessions.'),
  'session-not-fresh': kind(403, 'The session is too old for this', 'Sign in again: passkeys are added and removed soon after.'),
  'too-many-api-keys': kind(409, 'Too many API keys', 'Revoke one first.'),
  'not-found': kind(404, 'Not found', 'There is no such resource, or none that you may know of.'),
  'member-missing': kind(404, 'Not a member', 'The user is not a member of the account.'),
  'identity-missing': kind(404, 'No such identity', 'The account has no identity with this id.'),
  'as-of-not-found': kind(404, 'No such moment', 'asOf names a position or an event that the stream does not have.'),
  'method-not-allowed': kind(405, 'Method not allowed', 'Allow lists the methods of this resource.'),
  'not-acceptable': kind(406, 'Nothing acceptable', 'Accept excludes every media type this resource has.'),
  'request-timeout': kind(408, 'The request took too long to arrive', 'Send it again, faster.'),
  'account-exists': kind(409, 'The account exists', 'Another request with the same Idempotency-Key made it.'),
  'account-suspended': kind(
    403,
    'The account is suspended',
    'An operator has suspended the account: it takes no commands. Its history stays readable.',
  ),
  'account-not-suspended': kind(409, 'The account is not suspended', 'There is nothing to resume.'),
  'run-under-way': kind(409, 'Such a run is under way', 'detail names it: wait until it has ended.'),
  'plan-unchanged': kind(409, 'The account has this plan', 'There is nothing to change.'),
  'invitation-exists': kind(409, 'The invitation exists', 'Another request with the same Idempotency-Key made it.'),
  'too-many-invitations': kind(409, 'Too many invitations', 'Withdraw one first.'),
  'invitation-over': kind(410, 'The invitation is over', 'It was accepted or withdrawn, or its time is over: ask for another.'),
  'account-closed': kind(409, 'The account is closed', 'A closed account takes no commands. Its history stays readable.'),
  'member-exists': kind(409, 'Already a member', 'Change the member’s role instead.'),
  'last-owner': kind(409, 'The last owner', 'Make another member an owner first.'),
  'too-many-members': kind(409, 'Too many members', 'Remove a member first.'),
  'identity-exists': kind(409, 'The identity exists', 'Another request with the same Idempotency-Key made it.'),
  'identity-revoked': kind(409, 'The identity is revoked', 'A revoked identity signs nothing more. Its history stays readable.'),
  'too-many-identities': kind(409, 'Too many identities', 'The account has all the identities it may have.'),
  'too-many-keys': kind(409, 'Too many keys', 'The identity has had all the keys it may have.'),
  'operator-identity-fixed': kind(409, 'The operator’s identity stays', 'Rotate its key instead of revoking it.'),
  'pixbook-exists': kind(409, 'The pixbook exists', 'The identity has an open pixbook of this collection: close it or use it.'),
  'pixbook-closed': kind(409, 'The pixbook is closed', 'A closed pixbook takes no commands. Its history stays readable.'),
  'stale-base': kind(409, 'The pixbook has moved on', 'Read it again, merge, and save with the new baseEventId.'),
  'too-many-pixbooks': kind(409, 'Too many pixbooks', 'The identity has had all the pixbooks of this collection it may have.'),
  'head-mismatch': kind(
    412,
    'The head is another one',
    'If-Match names another head than the stream has: read again and decide anew.',
  ),
  'body-too-large': kind(413, 'The body is too large', 'Nothing of it was read to the end.'),
  'state-too-large': kind(413, 'The saved state is too large', 'Save less: the canonical state has a limit.'),
  'receipt-too-large': kind(413, 'The receipt would be too large', 'Send less in one command.'),
  'unsupported-media-type': kind(
    415,
    'This kind of body is not taken',
    'Send Content-Type: application/json, in UTF-8, not compressed; for art, one of the image types.',
  ),
  'role-not-allowed': kind(422, 'The role does not fit', 'The account cannot have this role or lose this one.'),
  'idempotency-key-reused': kind(
    422,
    'The Idempotency-Key was used before',
    'The key belongs to another request: use a new one.',
  ),
  'as-of-too-far': kind(422, 'Too far from a save', 'asOf would have to read too many receipts: read …/receipts and fold them.'),
  'sign-up-refused': kind(422, 'This cannot be done', 'detail says what is wrong with the account data that was sent.'),
  'rate-limited': later(429, 'Too many requests', 'Wait as long as Retry-After says.', 10),
  'headers-too-large': kind(431, 'The header fields are too large', 'Send fewer or shorter header fields.'),
  'internal-error': kind(500, 'Something broke', 'It is in our log under this requestId.'),
  'receipt-lost': kind(
    500,
    'A receipt is not in the store',
    'The ledger knows of a receipt that the store no longer has. An operator must look.',
  ),
  'queue-full': later(503, 'Too many commands wait', nothingWritten, 1),
  contended: later(503, 'Others were faster', `Rivals took every position that was tried. ${nothingWritten}`, 1),
  'outcome-unknown': later(503, 'The outcome is not known yet', `The receipt may or may not come to exist. ${sameKey}`, 1),
  'stream-stopped': later(
    503,
    'This stream is stopped',
    'What the store holds of it does not verify. An operator must look.',
    60,
  ),
  'projection-behind': later(503, 'Not visible yet', 'The event of minEventId is not applied yet. Ask again.', 1),
  'too-busy': later(503, 'Too many verifications at once', 'Ask again later.', 2),
  'not-ready': later(503, 'Not ready', 'dependencies names what is down, and why.', 5),
  'store-unavailable': later(503, 'The receipt store does not answer', nothingWritten, 5),
  'store-refused': later(503, 'The receipt store refuses us', nothingWritten, 30),
  'signer-unavailable': later(503, 'The signer does not answer', nothingWritten, 5),
  'signer-refused': later(503, 'The signer refuses us', nothingWritten, 30),
  'postgres-unavailable': later(503, 'Postgres does not answer', nothingWritten, 5),
  'deadline-exceeded': later(503, 'A part of the service took too long', sameKey, 5),
};

const speakable = (code: string): code is ProblemCode => Object.hasOwn(problemKinds, code);

/** Every code, in order of status. */
export const problemCodes: readonly ProblemCode[] = Object.keys(problemKinds)
  .filter(speakable)
  .sort((a, b) => problemKinds[a].status - problemKinds[b].status);

/** The code with this text, or null. */
export const parseProblemCode = (text: string): ProblemCode | null => (speakable(text) ? text : null);

const isUnspoken = (code: RefusalCode): code is Unspoken => unspoken.some((each) => each === code);

/** What a refusal is called here. Does not compile while a code is neither spoken nor unspoken. */
export const spokenCode = (code: RefusalCode): ProblemCode => (isUnspoken(code) ? 'not-found' : code);
