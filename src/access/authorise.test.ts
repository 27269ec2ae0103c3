import { describe, expect, it } from 'vitest';
import type { IdentityId, UserId } from '../receipt/ids.ts';
import type { Role } from '../stream/account/event.ts';
import { type Asking, mayCreateIdentity, mayKeepAccount, mayRead, maySignAs } from './authorise.ts';

const me = 'usr_me' as UserId;
const other = 'usr_other' as UserId;
const as = (role: Role | null, accountStatus: Asking['accountStatus'] = 'open'): Asking => ({ userId: me, role, accountStatus });
const identity = (controller: UserId, status: 'active' | 'revoked' = 'active') => ({
  identityId: 'idn_01JZ0000000000000000000000' as IdentityId,
  controller,
  status,
});
const answer = (result: ReturnType<typeof mayRead>): string => (result.ok ? 'yes' : result.error.code);

/** Who may do what: one row a right, one column a role. */
const table: readonly [
  string,
  (asking: Asking) => ReturnType<typeof mayRead>,
  Record<'owner' | 'member' | 'viewer' | 'stranger', string>,
][] = [
  ['read', mayRead, { owner: 'yes', member: 'yes', viewer: 'yes', stranger: 'not-found' }],
  ['keep the account', mayKeepAccount, { owner: 'yes', member: 'forbidden', viewer: 'forbidden', stranger: 'not-found' }],
  [
    'create an identity for themselves',
    (asking) => mayCreateIdentity(asking, me),
    { owner: 'yes', member: 'yes', viewer: 'forbidden', stranger: 'not-found' },
  ],
  [
    'create an identity for another member',
    (asking) => mayCreateIdentity(asking, other),
    { owner: 'yes', member: 'forbidden', viewer: 'forbidden', stranger: 'not-found' },
  ],
  [
    'sign as an identity they control',
    (asking) => maySignAs(asking, identity(me)),
    { owner: 'yes', member: 'yes', viewer: 'forbidden', stranger: 'not-found' },
  ],
  [
    'sign as an identity another member controls',
    (asking) => maySignAs(asking, identity(other)),
    { owner: 'yes', member: 'forbidden', viewer: 'forbidden', stranger: 'not-found' },
  ],
];

describe.each(table)('to %s', (_right, may, expected) => {
  it.each(Object.entries(expected))('%s is answered: %s', (who, code) => {
    expect(answer(may(as(who === 'stranger' ? null : (who as Role))))).toBe(code);
  });

  it('an account that does not exist is not found, whoever asks', () => {
    expect(answer(may(as('owner', 'absent')))).toBe('not-found');
  });
});

describe('signing', () => {
  it('ends with the revocation of the identity and with the closing of the account', () => {
    expect(answer(maySignAs(as('owner'), identity(me, 'revoked')))).toBe('identity-revoked');
    expect(answer(maySignAs(as('owner', 'closed'), identity(me)))).toBe('account-closed');
    expect(answer(mayRead(as('viewer', 'closed')))).toBe('yes');
  });

  it('needs an identity of this account', () => {
    expect(answer(maySignAs(as('member'), null))).toBe('identity-missing');
  });
});
