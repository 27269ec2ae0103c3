import { passkey } from '@better-auth/passkey';
import type { AuthContext, BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthEndpoint, createAuthMiddleware, freshSessionMiddleware, isAPIError } from 'better-auth/api';
import { z } from 'zod';
import { limits } from '../../limits.ts';
import { isPrintable } from './user-profile.ts';

/**
 * Passkeys of this host and this origin. A passkey signs in by itself, so it always asks who holds it (PIN, finger, face), and is kept by the
 * authenticator together with the user's handle: no address is asked for at sign-in, and none can be probed.
 */
export const passkeys = (baseUrl: string): readonly BetterAuthPlugin[] => {
  const { hostname, origin } = new URL(baseUrl);
  const plugin = passkey({
    rpID: hostname,
    rpName: 'PixPax',
    origin,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    advanced: { webAuthnChallengeCookie: 'passkey_challenge' },
    registration: {
      afterVerification: async ({ ctx, verification, user }) => {
        if (verification.registrationInfo?.userVerified !== true) throw unverified();
        const { adapter } = ctx.context;
        const mine = await adapter.count({ model: 'passkey', where: [{ field: 'userId', value: user.id }] });
        if (mine >= limits.passkeysPerUser) throw tooMany();
        const { id } = verification.registrationInfo.credential;
        // Anybody can make a registration with anybody's id: its owner could not sign in any more.
        if ((await adapter.count({ model: 'passkey', where: [{ field: 'credentialID', value: id }] })) > 0) throw known();
      },
    },
    authentication: {
      afterVerification: ({ verification }) => {
        if (!verification.authenticationInfo.userVerified) throw unverified();
      },
    },
  });
  return [{ ...plugin, endpoints: { ...plugin.endpoints, ...stricter(plugin.endpoints) } }, plainly];
};

const refused = (status: 'BAD_REQUEST' | 'UNAUTHORIZED', code: string, message: string) =>
  new APIError(status, { code, message });
const unverified = () => refused('UNAUTHORIZED', 'USER_NOT_VERIFIED', 'the passkey did not ask who holds it');
const tooMany = () => refused('BAD_REQUEST', 'TOO_MANY_PASSKEYS', `a user has at most ${limits.passkeysPerUser} passkeys`);
const known = () => refused('BAD_REQUEST', 'PASSKEY_KNOWN', 'this passkey is registered already');
const unheld = () => refused('BAD_REQUEST', 'FAILED_TO_VERIFY_REGISTRATION', 'the registration does not hold');
const malformed = (what: string) => refused('BAD_REQUEST', 'MALFORMED_PASSKEY', what);

type Endpoints = Pick<ReturnType<typeof passkey>['endpoints'], 'verifyPasskeyRegistration' | 'deletePasskey'>;

/** Two of the plugin's endpoints as it has them, and more than it asks. */
const stricter = ({ verifyPasskeyRegistration, deletePasskey }: Endpoints) => ({
  // It offers a second session besides, which nobody needs who has one; and a registration that does not hold is the client's fault, not ours.
  verifyPasskeyRegistration: createAuthEndpoint(
    '/passkey/verify-registration',
    { method: 'POST', body: z.object({ response: z.unknown(), name: z.string().optional() }) },
    async (context) => {
      const { response, name } = context.body;
      const body = { response, ...(name === undefined ? {} : { name }) };
      try {
        return await context.json(await verifyPasskeyRegistration({ ...callOf(context), body }));
      } catch (error) {
        throw isAPIError(error) && error.statusCode === 500 ? unheld() : error;
      }
    },
  ),
  // It asks for a fresh session when a passkey is added. Taking one away is as grave.
  deletePasskey: createAuthEndpoint(
    '/passkey/delete-passkey',
    { method: 'POST', use: [freshSessionMiddleware], body: z.object({ id: z.string() }) },
    async (context) => context.json(await deletePasskey({ ...callOf(context), body: context.body })),
  ),
});

type Call = { readonly context: AuthContext; readonly headers?: Headers | undefined; readonly request?: Request | undefined };

/** An endpoint's own call, for another one: an answer is wanted, no `Response`. */
const callOf = ({ context, headers, request }: Call) => ({
  ...({ context, asResponse: false, returnHeaders: false, returnStatus: false } as const),
  ...(headers === undefined ? {} : { headers }),
  ...(request === undefined ? {} : { request }),
});

/** What the plugin answers, where it says less than is so. */
const plainly: BetterAuthPlugin = {
  id: 'pixpax-passkeys',
  hooks: {
    after: [
      {
        matcher: ({ path }) => path === '/passkey/generate-authenticate-options',
        handler: createAuthMiddleware(({ context: { returned } }) =>
          // It only prefers what is then demanded.
          Promise.resolve(isOptions(returned) ? { ...returned, userVerification: 'required' } : undefined),
        ),
      },
    ],
  },
};

const isOptions = (returned: unknown): returned is object =>
  typeof returned === 'object' && returned !== null && !(returned instanceof Error);

const CREDENTIAL_ID = new RegExp(`^[A-Za-z0-9_-]{1,${limits.credentialIdChars}}$`);
const ROW_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Throws for what would be stored or looked up as it comes: endless or unprintable names, ids that are none. */
export const refuseMalformedPasskey = (path: string, body: unknown, query: unknown): void => {
  if (!path.startsWith('/passkey/')) return;
  const given = new Map<string, unknown>([...membersOf(query), ...membersOf(body)]);
  for (const name of ['name', 'context']) {
    const text = given.get(name);
    if (typeof text === 'string' && !isPrintable(text, limits.userNameChars))
      throw malformed(`${name} must have at most ${limits.userNameChars} printable characters`);
  }
  const id = given.get('id');
  if (id !== undefined && !(typeof id === 'string' && ROW_ID.test(id))) throw malformed('id must be that of a passkey');
  if (!path.startsWith('/passkey/verify-')) return;
  const credentialId = new Map(membersOf(given.get('response'))).get('id');
  if (typeof credentialId !== 'string' || !CREDENTIAL_ID.test(credentialId)) throw malformed('response.id must be base64url');
};

const membersOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];
