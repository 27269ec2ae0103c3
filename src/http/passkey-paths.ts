import { limits } from '../limits.ts';
import { type Described, described, object } from './sign-in-path.ts';

const name = { type: 'string', maxLength: limits.userNameChars };
const base64url = { type: 'string', description: 'base64url without padding' };

const credential = (what: string, members: object) =>
  object({
    id: base64url,
    rawId: base64url,
    type: { type: 'string', const: 'public-key' },
    response: object({ clientDataJSON: base64url, ...members }),
    clientExtensionResults: { type: 'object', description: `All of it is what \`toJSON()\` makes of the ${what}` },
  });

const passkey = object(
  {
    id: { type: 'string', examples: ['psk_01JZ0000000000000000000000'] },
    name: { type: ['string', 'null'] },
    userId: { type: 'string' },
    credentialID: base64url,
    publicKey: { type: 'string', description: 'Standard base64 of the COSE key' },
    createdAt: { type: 'string' },
  },
  ['id', 'userId', 'credentialID', 'createdAt'],
);

const registerOptions: Described = {
  id: 'passkeyRegisterOptions',
  summary: 'Begin to add a passkey',
  description:
    'For `navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(answer) })`. The session must be fresh. The answer sets the cookie of its challenge, which is good for five minutes and once.',
  query: { name, authenticatorAttachment: { type: 'string', enum: ['platform', 'cross-platform'] } },
  answer: object(
    { challenge: base64url, rp: object({ id: { type: 'string' }, name: { type: 'string' } }), user: { type: 'object' } },
    ['challenge', 'rp', 'user'],
  ),
  says: 'PublicKeyCredentialCreationOptions as JSON',
};
const addPasskey: Described = {
  id: 'addPasskey',
  summary: 'Add a passkey',
  description: 'The session must be fresh, and the cookie of the challenge is sent along.',
  body: object({ name, response: credential('new credential', { attestationObject: base64url }) }, ['response']),
  answer: passkey,
  says: 'The passkey',
};
const signInOptions: Described = {
  id: 'passkeySignInOptions',
  summary: 'Begin to sign in with a passkey',
  description:
    'For `navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(answer) })`. No address is asked for: the authenticator knows whose passkeys it has. The answer sets the cookie of its challenge, which is good for five minutes and once.',
  answer: object({ challenge: base64url, rpId: { type: 'string' }, userVerification: { type: 'string' } }),
  says: 'PublicKeyCredentialRequestOptions as JSON',
};
const signInWithPasskey = (token: object, session: object, user: object): Described => ({
  id: 'signInWithPasskey',
  summary: 'Begin a session with a passkey',
  description: 'The cookie of the challenge is sent along.',
  body: object({ response: credential('assertion', { authenticatorData: base64url, signature: base64url }) }),
  answer: object({ token, session, user }),
  says: 'The session’s token, for `Authorization: Bearer`, and its cookie',
});
const listPasskeys: Described = {
  id: 'listPasskeys',
  summary: 'Your passkeys',
  answer: { type: 'array', items: passkey },
  says: 'All of them',
};
const renamePasskey: Described = {
  id: 'renamePasskey',
  summary: 'Rename a passkey',
  body: object({ id: { type: 'string' }, name: { ...name, minLength: 1 } }),
  answer: object({ passkey }),
  says: 'The passkey',
};
const removePasskey: Described = {
  id: 'removePasskey',
  summary: 'Remove a passkey',
  description: 'The session must be fresh.',
  body: object({ id: { type: 'string' } }),
  answer: object({ status: { type: 'boolean' } }),
  says: 'It is gone',
};

type Shared = { readonly user: object; readonly session: object; readonly token: object };

/** The routes of passkeys (WebAuthn), by path. */
export const passkeyPaths = ({ user, session, token }: Shared, problems: object) => ({
  '/v1/auth/passkey/generate-register-options': { get: described(registerOptions, true, problems) },
  '/v1/auth/passkey/verify-registration': { post: described(addPasskey, true, problems) },
  '/v1/auth/passkey/generate-authenticate-options': { get: described(signInOptions, false, problems) },
  '/v1/auth/passkey/verify-authentication': { post: described(signInWithPasskey(token, session, user), false, problems) },
  '/v1/auth/passkey/list-user-passkeys': { get: described(listPasskeys, true, problems) },
  '/v1/auth/passkey/update-passkey': { post: described(renamePasskey, true, problems) },
  '/v1/auth/passkey/delete-passkey': { post: described(removePasskey, true, problems) },
});
