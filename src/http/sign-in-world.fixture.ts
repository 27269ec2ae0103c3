import { expect } from 'vitest';
import { z } from 'zod';
import { type TestDatabase, freshDatabase } from '../../test/postgres.ts';
import { openAuthentication } from '../adapter/better-auth/authentication.ts';
import { configFor } from '../adapter/better-auth/sign-in.fixture.ts';
import type { Authentication } from '../port/authentication.ts';
import { type AskOptions, type World, makeWorld } from './ledger.fixture.ts';
import { openApiDocument } from './openapi-document.ts';

/** The service with sign-in on a Postgres of its own. What sign-in answers is held against the API description. */
export type SignInWorld = {
  readonly ask: World['ask'];
  readonly authentication: Authentication;
  readonly database: TestDatabase;
  /** Signs somebody new up, and in. */
  readonly newcomer: () => Promise<Newcomer>;
  readonly close: () => Promise<void>;
};
export type Newcomer = {
  readonly email: string;
  readonly userId: string;
  readonly token: string;
  /** As a browser sends it back. */
  readonly cookie: string;
};

export const PASSWORD = 'correct horse battery';
export const PUBLIC_ORIGIN = 'http://localhost';

export const makeSignInWorld = async (): Promise<SignInWorld> => {
  const database = await freshDatabase({ empty: true });
  const authentication = await openAuthentication(configFor(database.url, { baseUrl: PUBLIC_ORIGIN, trustedOrigins: [] }));
  const world = await makeWorld(() => ({ authentication }));
  const { paths } = described.parse(await openApiDocument());
  const ask: World['ask'] = async (method, path, options = {}) => {
    const answer = await world.ask(method, path, options);
    const said = paths[path.split('?')[0] ?? '']?.[method.toLowerCase()];
    if (path.startsWith('/v1/auth/')) await expectDescribed(said, answer);
    return answer;
  };
  let newcomers = 0;
  const newcomer = async (): Promise<Newcomer> => {
    const email = `somebody${newcomers++}@example.test`;
    const body = { email, password: PASSWORD };
    await ask('POST', '/v1/auth/sign-up/email', anonymously({ body: { ...body, name: 'Somebody' } }));
    const answer = await ask('POST', '/v1/auth/sign-in/email', anonymously({ body }));
    const { token, user } = signedIn.parse(await answer.json());
    return { email, userId: user.id, token, cookie: cookieOf(answer) };
  };
  const close = async (): Promise<void> => {
    await authentication.close();
    await database.drop();
  };
  return { ask, authentication, database, newcomer, close };
};

/** As a page of the service itself sends it, with no bearer token. */
export const anonymously = (options: AskOptions): AskOptions => ({
  ...options,
  as: null,
  headers: { Origin: PUBLIC_ORIGIN, ...options.headers },
});

export const cookieOf = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ');

const signedIn = z.object({ token: z.string(), user: z.object({ id: z.string() }) });
const operation = z.looseObject({ responses: z.record(z.string(), z.unknown()) });
const described = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), operation)) });
const jsonOf = z.object({ content: z.object({ 'application/json': z.object({ schema: z.looseObject({}) }) }) });

const expectDescribed = async (said: z.infer<typeof operation> | undefined, answer: Response): Promise<void> => {
  if (answer.status >= 400) return; // as every problem is
  expect(answer.status).toBe(200);
  const { schema } = jsonOf.parse(said?.responses['200']).content['application/json'];
  const body = z.fromJSONSchema(schema).safeParse(await answer.clone().json());
  expect(body.error).toBeUndefined();
};
