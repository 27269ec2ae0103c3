import { z } from 'zod';
import { invitationIdFor, parseInvitationId } from '../../receipt/ids.ts';
import { accountStream } from '../../receipt/stream.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { jsonAnswer } from '../answer.ts';
import type { AccountCommand } from '../command-need.ts';
import { refusals } from '../command-refusal.ts';
import { invitationIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { emptyBody, noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import type { AccountReader } from '../reader-need.ts';
import { invitationSchema, pageSchema } from '../resource-schema.ts';
import { listQuery, readQuery, roleSchema } from '../schema.ts';
import { readOf } from '../success.ts';

const SECRET = { minLength: 26, maxLength: 26, examples: ['5T0Z9V3W8QK2M7XH4DJN6BRYAE'] };
const secretSchema = z.string().length(SECRET.minLength).meta(SECRET);

const pathOf = (accountId: string): string => `/v1/accounts/${accountId}/invitations`;

export const inviteMember = operation({
  id: 'inviteMember',
  tag: 'Accounts',
  summary: 'Invite somebody into an account',
  description:
    'Hand `accountId`, `invitationId` and `secret` to whoever is to come, over a channel of your own: any user who shows the secret within 7 days becomes a member in this role, once. The secret is kept nowhere; repeating the request shows it again.',
  successes: acknowledged({ invitationId: invitationIdSchema, secret: secretSchema }, 'Invited'),
  problems: refusals.invitation,
  query: noQuery,
  body: { presence: 'required', schema: z.strictObject({ role: roleSchema }) },
  handle: async (service, { context, accountId }: AccountCommand, { body: { role } }) =>
    acknowledge(service, 'inviteMember', await service.commands.inviteMember(context, accountId, role), () => {
      const invitationId = invitationIdFor(accountId, context.idempotencyKey);
      return {
        location: pathOf(accountId),
        made: { invitationId, secret: service.invitations.secretOf(accountId, invitationId) },
      };
    }),
});

export const listInvitations = operation({
  id: 'listInvitations',
  tag: 'Accounts',
  summary: 'The open invitations of an account',
  description:
    'Those that nobody accepted or withdrew. One whose `expiresAt` is over is of no more use, and stays until it is withdrawn.',
  successes: readOf(pageSchema('InvitationPage', invitationSchema), 'A page in order of invitation id'),
  problems: [],
  query: z.strictObject({ ...listQuery, ...readQuery }),
  body: noBody,
  handle: async ({ queries }, { accountId }: AccountReader, { query: { limit, cursor }, headers }) => {
    const after = keyAfter(cursor, parseInvitationId);
    if (!after.ok) return after.error;
    // The head first, as for members: a tag that is older than the page makes the client ask once more than it had to.
    const head = await queries.head(accountStream(accountId));
    if (head === null) return notFound;
    const { rows, hasMore } = await queries.invitations(accountId, { after: after.value, limit });
    const page = pageOf(rows, hasMore, ({ invitationId }) => invitationId);
    return jsonAnswer({ tag: head.hash, ifNoneMatch: headers.get('if-none-match') }, page);
  },
});

export const withdrawInvitation = operation({
  id: 'withdrawInvitation',
  tag: 'Accounts',
  summary: 'Withdraw an invitation',
  successes: acknowledged(),
  problems: refusals.invitation,
  query: noQuery,
  body: emptyBody,
  handle: async (service, { context, accountId }: AccountCommand, { param }) => {
    const invitationId = parseInvitationId(param('invitationId'));
    if (!invitationId.ok) return notFound;
    const outcome = await service.commands.withdrawInvitation(context, accountId, invitationId.value);
    return acknowledge(service, 'withdrawInvitation', outcome, () => ({ location: pathOf(accountId) }));
  },
});

export const acceptInvitation = operation({
  id: 'acceptInvitation',
  tag: 'Accounts',
  summary: 'Become a member by invitation',
  description: 'For whoever holds the secret: without it every invitation is one that does not exist.',
  successes: acknowledged(),
  problems: refusals.invitation,
  query: noQuery,
  body: { presence: 'required', schema: z.strictObject({ secret: z.string().max(100) }) },
  handle: async (service, { context, accountId }: AccountCommand, { param, body: { secret } }) => {
    const invitationId = parseInvitationId(param('invitationId'));
    if (!invitationId.ok || !service.invitations.isSecret(accountId, invitationId.value, secret)) return notFound;
    const outcome = await service.commands.acceptInvitation(context, accountId, invitationId.value);
    return acknowledge(service, 'acceptInvitation', outcome, () => ({ location: `/v1/accounts/${accountId}` }));
  },
});
