import type { SchemaComponents } from './json-schema.ts';
import { problemResponses, problemsOf } from './problem-spec.ts';
import type { Route } from './route.ts';

const user = {
  type: 'object',
  properties: {
    id: { type: 'string', examples: ['usr_01JZ0000000000000000000000'] },
    email: { type: 'string' },
    name: { type: 'string' },
  },
  required: ['id'],
};
const email = { type: 'string', format: 'email' };
const password = { type: 'string', format: 'password' };

const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
});
const json = (schema: object) => ({ content: { 'application/json': { schema } } });

type Described = {
  readonly id: string;
  readonly summary: string;
  readonly body?: object;
  readonly answer: object;
  readonly says: string;
};

const described = ({ id, summary, body, answer, says }: Described, isSignedIn: boolean, problems: object) => ({
  operationId: id,
  tags: ['Sign-in'],
  summary,
  security: isSignedIn ? [{ bearer: [] }, { cookie: [] }] : [],
  ...(body === undefined ? {} : { requestBody: { required: true, ...json(body) } }),
  responses: { '200': { description: says, ...json(answer) }, ...problems },
});

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
  answer: object({ token: { type: 'string' }, user }),
  says: 'The session’s token, for `Authorization: Bearer`, and its cookie',
};
const getSession: Described = {
  id: 'getSession',
  summary: 'The session',
  answer: { type: ['object', 'null'], properties: { session: { type: 'object' }, user } },
  says: 'The session and its user, or null',
};
const signOut: Described = {
  id: 'signOut',
  summary: 'End the session',
  body: { type: 'object' },
  answer: object({ success: { type: 'boolean' } }),
  says: 'It is over',
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
  };
};
