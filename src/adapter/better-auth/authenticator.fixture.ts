import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { z } from 'zod';
import { ORIGIN } from './sign-in.fixture.ts';

/** An authenticator in software, P-256, as WebAuthn level 3 has it; it says what it is told to, lies included. */
export type Authenticator = {
  readonly id: string;
  /** What `navigator.credentials.create` makes of the options. */
  register(options: unknown, says?: Saying): object;
  /** What `navigator.credentials.get` makes of the options. */
  assert(options: unknown, says?: Saying): object;
};

export type Saying = {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly userVerified?: boolean;
  /** Another key's signature. */
  readonly signedBy?: KeyObject;
};

const challenged = z.looseObject({ challenge: z.string() });

export const newAuthenticator = (id = randomBytes(32).toString('base64url'), uses = 0): Authenticator => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  let counter = uses;

  const clientData = (type: string, options: unknown, { origin = ORIGIN, challenge }: Saying): Buffer =>
    Buffer.from(
      JSON.stringify({ type, challenge: challenge ?? challenged.parse(options).challenge, origin, crossOrigin: false }),
    );

  /** §6.1: hash of the relying party, flags (present 1, verified 4, has a credential 64), counter. */
  const authData = ({ rpId = new URL(ORIGIN).hostname, userVerified = true }: Saying, more: number): Buffer => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(++counter);
    return Buffer.concat([sha256(Buffer.from(rpId)), Buffer.of(1 + (userVerified ? 4 : 0) + more), count]);
  };

  const credential = (response: object): object => ({
    ...{ id, rawId: id, type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {} },
    response,
  });

  return {
    id,
    register: (options, says = {}) => {
      const idBytes = Buffer.from(id, 'base64url');
      const length = Buffer.of(idBytes.length >> 8, idBytes.length & 255);
      const data = Buffer.concat([authData(says, 64), Buffer.alloc(16), length, idBytes, coseKey(x, y)]);
      return credential({
        clientDataJSON: clientData('webauthn.create', options, says).toString('base64url'),
        attestationObject: attestation(data).toString('base64url'),
        transports: ['internal'],
      });
    },
    assert: (options, says = {}) => {
      const client = clientData('webauthn.get', options, says);
      const data = authData(says, 0);
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), says.signedBy ?? privateKey);
      return credential({
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: signature.toString('base64url'),
      });
    },
  };
};

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** CBOR of {1: 2, 3: -7, -1: 1, -2: x, -3: y}: an EC2 key for ES256 on P-256 (RFC 9052). */
const coseKey = (x: string, y: string): Buffer =>
  Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ]);

/** CBOR of {fmt: "none", attStmt: {}, authData}. */
const attestation = (data: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746159', 'hex'),
    Buffer.of(data.length >> 8, data.length & 255),
    data,
  ]);
