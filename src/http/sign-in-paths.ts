/** The sign-in system's own routes, as far as a client of the ledger needs them. It has more. */
const problem = {
  description: 'Why not, as a problem; `reason` is the sign-in system’s own code',
  headers: {
    'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' },
    'Retry-After': { $ref: '#/components/headers/Retry-After' },
  },
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

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

const route = (operationId: string, summary: string, answer: object, description: string, body?: object) => ({
  operationId,
  tags: ['Sign-in'],
  summary,
  security: operationId.endsWith('Up') || operationId.endsWith('In') ? [] : [{ bearer: [] }, { cookie: [] }],
  ...(body === undefined ? {} : { requestBody: { required: true, ...json(body) } }),
  responses: { '200': { description, ...json(answer) }, '4XX': problem, '5XX': problem },
});

export const signInPaths = {
  '/v1/auth/sign-up/email': {
    post: route(
      'signUp',
      'Make a user',
      object({ user, token: { type: ['string', 'null'] } }, ['user']),
      'The user. Sign in next.',
      object({ name: { type: 'string' }, email, password }),
    ),
  },
  '/v1/auth/sign-in/email': {
    post: route(
      'signIn',
      'Begin a session',
      object({ token: { type: 'string' }, user }),
      'The session’s token, for `Authorization: Bearer`, and its cookie',
      object({ email, password }),
    ),
  },
  '/v1/auth/get-session': {
    get: route(
      'getSession',
      'The session',
      { type: ['object', 'null'], properties: { session: { type: 'object' }, user } },
      'The session and its user, or null',
    ),
  },
  '/v1/auth/sign-out': {
    post: route('signOut', 'End the session', object({ success: { type: 'boolean' } }), 'It is over'),
  },
};
