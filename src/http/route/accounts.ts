import { z } from 'zod';
import type { CommandContext } from '../../command/ledger-commands.ts';
import { type UserId, parseAccountId, parseUserId } from '../../receipt/ids.ts';
import { accountStream } from '../../receipt/stream.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { hashedAnswer, jsonAnswer } from '../answer.ts';
import type { AccountCommand } from '../command-need.ts';
import { refusals } from '../command-refusal.ts';
import { accountIdSchema, userIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { emptyBody, noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import type { AccountReader } from '../reader-need.ts';
import { accountSchema, memberSchema, membershipSchema, pageSchema } from '../resource-schema.ts';
import { listQuery, readQuery, roleSchema } from '../schema.ts';
import { readOf } from '../success.ts';

const accountPath = (accountId: string): string => `/v1/accounts/${accountId}`;
const membersPath = (accountId: string): string => `${accountPath(accountId)}/members`;

export const createAccount = operation({
  id: 'createAccount',
  tag: 'Accounts',
  summary: 'Open an account',
  description: 'Whoever asks becomes its owner. The id follows from user and Idempotency-Key.',
  successes: acknowledged({ accountId: accountIdSchema }, 'AccountCreated'),
  problems: refusals.account,
  query: noQuery,
  body: emptyBody,
  handle: async (service, context: CommandContext) =>
    acknowledge(service, 'createAccount', await service.commands.createAccount(context), ({ stream }) => {
      const accountId = 'accountId' in stream ? stream.accountId : '';
      return { location: accountPath(accountId), made: { accountId } };
    }),
});

export const listAccounts = operation({
  id: 'listAccounts',
  tag: 'Accounts',
  summary: 'Your accounts, and your role in each',
  successes: readOf(pageSchema('MembershipPage', membershipSchema), 'A page in order of account id'),
  problems: [],
  query: z.strictObject({ ...listQuery, ...readQuery }),
  body: noBody,
  handle: async ({ queries }, userId: UserId, { query: { limit, cursor }, headers }) => {
    const after = keyAfter(cursor, parseAccountId);
    if (!after.ok) return after.error;
    const from = after.value ?? '';
    const all = [...(await queries.memberships(userId))].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
    const rest = all.filter(({ accountId }) => accountId > from);
    const rows = rest.slice(0, limit).map(({ accountId, role }) => ({ accountId, role }));
    return hashedAnswer(
      headers.get('if-none-match'),
      pageOf(rows, rest.length > limit, ({ accountId }) => accountId),
    );
  },
});

export const readAccount = operation({
  id: 'readAccount',
  tag: 'Accounts',
  summary: 'One account',
  successes: readOf(accountSchema, 'The account'),
  problems: [],
  query: z.strictObject(readQuery),
  body: noBody,
  handle: async ({ queries }, { accountId }: AccountReader, { headers }) => {
    const account = await queries.account(accountId);
    return account === null
      ? notFound
      : jsonAnswer({ tag: account.head.hash, ifNoneMatch: headers.get('if-none-match') }, account);
  },
});

export const closeAccount = operation({
  id: 'closeAccount',
  tag: 'Accounts',
  summary: 'Close an account for good',
  description: 'A closed account takes no more commands; its history stays readable.',
  successes: acknowledged(),
  problems: refusals.account,
  query: noQuery,
  body: emptyBody,
  handle: async (service, { context, accountId }: AccountCommand) =>
    acknowledge(service, 'closeAccount', await service.commands.closeAccount(context, accountId), () => ({
      location: accountPath(accountId),
    })),
});

export const listMembers = operation({
  id: 'listMembers',
  tag: 'Accounts',
  summary: 'The members of an account',
  successes: readOf(pageSchema('MemberPage', memberSchema), 'A page in order of user id'),
  problems: [],
  query: z.strictObject({ ...listQuery, ...readQuery }),
  body: noBody,
  handle: async ({ queries }, { accountId }: AccountReader, { query: { limit, cursor }, headers }) => {
    const after = keyAfter(cursor, parseUserId);
    if (!after.ok) return after.error;
    // The head first: should a receipt come in between, the tag is older than the page, and the client asks once more than it had to.
    const head = await queries.head(accountStream(accountId));
    if (head === null) return notFound;
    const { rows, hasMore } = await queries.members(accountId, { after: after.value, limit });
    const page = pageOf(rows, hasMore, ({ userId }) => userId);
    return jsonAnswer({ tag: head.hash, ifNoneMatch: headers.get('if-none-match') }, page);
  },
});

export const addMember = operation({
  id: 'addMember',
  tag: 'Accounts',
  summary: 'Take a user into an account',
  successes: acknowledged(),
  problems: refusals.member,
  query: noQuery,
  body: { presence: 'required', schema: z.strictObject({ userId: userIdSchema, role: roleSchema }) },
  handle: async (service, { context, accountId }: AccountCommand, { body }) =>
    acknowledge(service, 'addMember', await service.commands.addMember(context, accountId, body), () => ({
      location: membersPath(accountId),
    })),
});

export const changeMemberRole = operation({
  id: 'changeMemberRole',
  tag: 'Accounts',
  summary: 'Give a member another role',
  successes: acknowledged(),
  problems: refusals.member,
  query: noQuery,
  body: { presence: 'required', schema: z.strictObject({ role: roleSchema }) },
  handle: async (service, { context, accountId }: AccountCommand, { param, body: { role } }) => {
    const userId = parseUserId(param('userId'));
    if (!userId.ok) return notFound;
    const outcome = await service.commands.changeMemberRole(context, accountId, { userId: userId.value, role });
    return acknowledge(service, 'changeMemberRole', outcome, () => ({ location: membersPath(accountId) }));
  },
});

export const removeMember = operation({
  id: 'removeMember',
  tag: 'Accounts',
  summary: 'Take a member out of an account',
  successes: acknowledged(),
  problems: refusals.member,
  query: noQuery,
  body: emptyBody,
  handle: async (service, { context, accountId }: AccountCommand, { param }) => {
    const userId = parseUserId(param('userId'));
    if (!userId.ok) return notFound;
    const outcome = await service.commands.removeMember(context, accountId, userId.value);
    return acknowledge(service, 'removeMember', outcome, () => ({ location: membersPath(accountId) }));
  },
});
