import type { SchemaComponents } from './json-schema.ts';
import { passkeyPaths } from './passkey-paths.ts';
import { problemResponses, problemsOf } from './problem-spec.ts';
import type { Route } from './route.ts';
import { type Described, described, object } from './sign-in-path.ts';

const user = {
  type: 'object',
  properties: {
    id: { type: 'string', examples: ['usr_01JZ0000000000000000000000'] },
    email: { type: 'string' },
    name: { type: 'string' },
  },
  required: ['id'],
};
const session = object({
  id: { type: 'string', examples: ['ses_01JZ0000000000000000000000'] },
  userId: { type: 'string' },
  expiresAt: { type: 'string' },
});
const email = { type: 'string', format: 'email' };
const password = { type: 'string', format: 'password' };
const token = { type: 'string', description: 'For `Authorization: Bearer`' };

const signUp: Described = {
  id: 'signUp',
  summary: 'Make a user',
  body: object({ name: { type: 'string' }, email, password }),
  answer: object({ user, token: { type: ['string', 'null'] } }, ['user']),
  says: 'The user. Sign in next.',
};
const signIn: Described = {
  id: 'signIn',
  summary: 'Begin a session',
  body: object({ email, password }),
  answer: object({ token, user }),
  says: 'The session’s token, for `Authorization: Bearer`, and its cookie',
};
const getSession: Described = {
  id: 'getSession',
  summary: 'The session',
  answer: { type: ['object', 'null'], properties: { session, user } },
  says: 'The session and its user, or null',
};
const signOut: Described = {
  id: 'signOut',
  summary: 'End the session',
  body: { type: 'object' },
  answer: object({ success: { type: 'boolean' } }),
  says: 'It is over',
};
const changePassword: Described = {
  id: 'changePassword',
  summary: 'Change the password',
  body: object({ currentPassword: password, newPassword: password }),
  answer: object({ token, user }),
  says: 'All sessions are over. This one goes on with a new token and a new cookie.',
};
const revokeOtherSessions: Described = {
  id: 'revokeOtherSessions',
  summary: 'End all sessions but this one',
  body: { type: 'object' },
  answer: object({ status: { type: 'boolean' } }),
  says: 'They are over',
};

const revokeSessions: Described = {
  id: 'revokeSessions',
  summary: 'End all sessions, this one too',
  body: { type: 'object' },
  answer: object({ status: { type: 'boolean' } }),
  says: 'They are over',
};
const updateUser: Described = {
  id: 'updateUser',
  summary: 'Change the user’s name or picture',
  body: object({ name: { type: 'string' }, image: { type: ['string', 'null'] } }, []),
  answer: object({ status: { type: 'boolean' } }),
  says: 'It is changed',
};

/**
 * The sign-in system's own routes, as far as a client of the ledger needs them; it has more. They are one route to us, whose problems all of them
 * share; `reason` in those is the sign-in system's own code.
 */
export const signInPaths = (table: readonly Route[], components: SchemaComponents) => {
  const codes = table.filter(({ path }) => path.startsWith('/v1/auth/')).flatMap((route) => problemsOf(route));
  const problems = problemResponses([...new Set(codes)], components);
  return {
    '/v1/auth/sign-up/email': { post: described(signUp, false, problems) },
    '/v1/auth/sign-in/email': { post: described(signIn, false, problems) },
    '/v1/auth/get-session': { get: described(getSession, true, problems) },
    '/v1/auth/sign-out': { post: described(signOut, true, problems) },
    '/v1/auth/change-password': { post: described(changePassword, true, problems) },
    '/v1/auth/revoke-sessions': { post: described(revokeSessions, true, problems) },
    '/v1/auth/update-user': { post: described(updateUser, true, problems) },
    '/v1/auth/revoke-other-sessions': { post: described(revokeOtherSessions, true, problems) },
    ...passkeyPaths({ user, session, token }, problems),
  };
};
