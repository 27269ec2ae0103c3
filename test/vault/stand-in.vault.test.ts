import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type VaultStandIn, startVaultStandIn } from '../vault-stand-in.ts';
import { type Json, type RawAnswer, callRaw, callReal, mayAdminister, realVault, removeKeys } from './real-vault.ts';

/**
 * The stand-in answers as a real Vault does: the same calls in the same order to both. Of a success each member that the stand-in gives
 * must be there with the same kind of value; of a refusal the status and the words must be the same.
 */
const run = `pixpax-standin-${randomBytes(4).toString('hex')}`;
const [KEY, AES, NONE] = [`${run}-a`, `${run}-aes`, `${run}-none`] as const;
const input = Buffer.from('hello').toString('base64');
const jws = { marshaling_algorithm: 'jws', key_version: 1 };

type Who = 'root' | 'ours' | 'nobody' | 'made-up' | 'batch';
type Call = readonly [what: string, who: Who, method: string, path: string, body?: Json];
const calls: readonly Call[] = [
  ['health', 'nobody', 'GET', 'sys/health'],
  ['make a key', 'ours', 'POST', `transit/keys/${KEY}`, { type: 'ecdsa-p256' }],
  ['make it again', 'ours', 'POST', `transit/keys/${KEY}`, { type: 'ecdsa-p256' }],
  ['read it', 'ours', 'GET', `transit/keys/${KEY}`],
  ['read no key', 'ours', 'GET', `transit/keys/${NONE}`],
  ['sign', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, input }],
  ['sign a batch', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, batch_input: [{ input }, { input }] }],
  ['sign in DER', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { input }],
  ['sign nothing', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, batch_input: [] }],
  ['sign the empty message', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, batch_input: [{ input: '' }] }],
  ['sign what is not base64', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, input: '!!' }],
  [
    'sign a batch with bad items',
    'ours',
    'POST',
    `transit/sign/${KEY}/sha2-256`,
    { ...jws, batch_input: [{ input }, { input: '!' }, {}] },
  ],
  ['sign with no key', 'ours', 'POST', `transit/sign/${NONE}/sha2-256`, { ...jws, input }],
  ['sign a batch with no key', 'ours', 'POST', `transit/sign/${NONE}/sha2-256`, { ...jws, batch_input: [{ input }] }],
  ['sign with a version to come', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, key_version: 9, input }],
  ['make an AES key', 'root', 'POST', `transit/keys/${AES}`, { type: 'aes256-gcm96' }],
  ['make it again as a P-256 key', 'root', 'POST', `transit/keys/${AES}`, { type: 'ecdsa-p256' }],
  ['sign with it', 'root', 'POST', `transit/sign/${AES}/sha2-256`, { ...jws, input }],
  ['seal before there is a key', 'ours', 'POST', 'transit/encrypt/pixpax-seal', { plaintext: input }],
  ['open before there is a key', 'ours', 'POST', 'transit/decrypt/pixpax-seal', { ciphertext: 'vault:v1:AAAA' }],
  ['make a sealing key of another type', 'ours', 'POST', 'transit/keys/pixpax-seal', { type: 'ecdsa-p256' }],
  ['make a sealing key of another name', 'ours', 'POST', `transit/keys/${NONE}`, { type: 'aes256-gcm96' }],
  ['make the sealing key', 'ours', 'POST', 'transit/keys/pixpax-seal', { type: 'aes256-gcm96' }],
  ['make it again', 'ours', 'POST', 'transit/keys/pixpax-seal', { type: 'aes256-gcm96' }],
  ['read it', 'ours', 'GET', 'transit/keys/pixpax-seal'],
  ['seal', 'ours', 'POST', 'transit/encrypt/pixpax-seal', { plaintext: input, associated_data: input }],
  ['seal nothing', 'ours', 'POST', 'transit/encrypt/pixpax-seal', { associated_data: input }],
  ['seal what is not base64', 'ours', 'POST', 'transit/encrypt/pixpax-seal', { plaintext: '!!' }],
  ['seal with a signing key', 'root', 'POST', `transit/encrypt/${KEY}`, { plaintext: input }],
  ['seal with another key', 'ours', 'POST', `transit/encrypt/${AES}`, { plaintext: input }],
  ['open', 'ours', 'POST', 'transit/decrypt/pixpax-seal', { ciphertext: 'SEALED', associated_data: input }],
  ['open for another context', 'ours', 'POST', 'transit/decrypt/pixpax-seal', { ciphertext: 'SEALED', associated_data: 'AAAA' }],
  ['open for no context', 'ours', 'POST', 'transit/decrypt/pixpax-seal', { ciphertext: 'SEALED' }],
  ['open after a line break', 'ours', 'POST', 'transit/decrypt/pixpax-seal', { ciphertext: 'SEALED\n', associated_data: input }],
  ['open with a signing key', 'root', 'POST', `transit/decrypt/${KEY}`, { ciphertext: 'SEALED' }],
  ...['vault:v1:AAAA', 'vault:v1:!!', 'vault:v1:', 'vault:v2:AAAA', `vault:v1:${'A'.repeat(20)}`, 'local:v1:AAAA'].map(
    (ciphertext) => [`open ${ciphertext}`, 'ours', 'POST', 'transit/decrypt/pixpax-seal', { ciphertext }] as const,
  ),
  ['rotate the sealing key', 'root', 'POST', 'transit/keys/pixpax-seal/rotate', {}],
  [
    'open what was sealed before',
    'ours',
    'POST',
    'transit/decrypt/pixpax-seal',
    { ciphertext: 'SEALED', associated_data: input },
  ],
  ['seal with its new version', 'ours', 'POST', 'transit/encrypt/pixpax-seal', { plaintext: input, associated_data: input }],
  ['archive its first version', 'root', 'POST', 'transit/keys/pixpax-seal/config', { min_decryption_version: 2 }],
  ['open what is too old', 'ours', 'POST', 'transit/decrypt/pixpax-seal', { ciphertext: 'SEALED', associated_data: input }],
  ['rotate', 'root', 'POST', `transit/keys/${KEY}/rotate`, {}],
  ['archive version 1', 'root', 'POST', `transit/keys/${KEY}/config`, { min_decryption_version: 2 }],
  ['read what is left', 'ours', 'GET', `transit/keys/${KEY}`],
  ['sign with an archived version', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, input }],
  ['sign a batch with it', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, batch_input: [{ input }] }],
  [
    'make version 1 too old',
    'root',
    'POST',
    `transit/keys/${KEY}/config`,
    { min_decryption_version: 1, min_encryption_version: 2 },
  ],
  ['sign with a version too old', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, input }],
  ['sign a batch with that', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { ...jws, batch_input: [{ input }] }],
  ['sign with the latest version', 'ours', 'POST', `transit/sign/${KEY}/sha2-256`, { input, marshaling_algorithm: 'jws' }],
  ['look at oneself', 'ours', 'GET', 'auth/token/lookup-self'],
  ['renew oneself', 'ours', 'POST', 'auth/token/renew-self', {}],
  ['renew a batch token', 'batch', 'POST', 'auth/token/renew-self', {}],
  ['look at root', 'root', 'GET', 'auth/token/lookup-self'],
  ['rotate without the right', 'ours', 'POST', `transit/keys/${KEY}/rotate`, {}],
  ['sign without the right', 'ours', 'POST', 'transit/sign/other/sha2-256', { input }],
  ['a made-up token', 'made-up', 'GET', `transit/keys/${KEY}`],
  ['a made-up token looking at itself', 'made-up', 'GET', 'auth/token/lookup-self'],
  ['no token', 'nobody', 'GET', `transit/keys/${KEY}`],
  ['a mount that is not there', 'root', 'POST', 'nowhere/sign/x/sha2-256', { input }],
  ['AppRole: no such role', 'nobody', 'POST', 'auth/approle/login', { role_id: 'x', secret_id: 'y' }],
  ['AppRole: no secret', 'nobody', 'POST', 'auth/approle/login', { role_id: 'ROLE' }],
  ['AppRole: a login', 'nobody', 'POST', 'auth/approle/login', { role_id: 'ROLE', secret_id: 'SECRET' }],
  ...[1, 2, 3, 4, 5, 6].map(
    (nth) =>
      [`AppRole: wrong secret ${nth}`, 'nobody', 'POST', 'auth/approle/login', { role_id: 'ROLE', secret_id: 'y' }] as const,
  ),
  ['AppRole: the right secret too late', 'nobody', 'POST', 'auth/approle/login', { role_id: 'ROLE', secret_id: 'SECRET' }],
  ['Kubernetes: no such role', 'nobody', 'POST', 'auth/kubernetes/login', { role: 'x', jwt: 'y' }],
  ['a login method that is not there', 'nobody', 'POST', 'auth/nowhere/login', { role: 'x', jwt: 'y' }],
];

describe.skipIf(!(await mayAdminister()))('the stand-in and a real Vault', () => {
  let standIn: VaultStandIn;
  /** Turns a call for the stand-in into one for either: mounts, tokens and role ids differ. */
  let translate: Record<'real' | 'standIn', { readonly names: Map<string, string>; readonly tokens: Record<Who, string | null> }>;

  beforeAll(async () => {
    standIn = await startVaultStandIn();
    const [approle, kubernetes] = [`${run}-approle`, `${run}-kubernetes`];
    await callReal('POST', `sys/auth/${approle}`, { type: 'approle' });
    await callReal('POST', `sys/auth/${kubernetes}`, { type: 'kubernetes' });
    const ours = await readFile(new URL('../../k8s/vault-policy.hcl', import.meta.url), 'utf8');
    const policy = ours.replaceAll('"transit/', `"${realVault.transitMount}/`).replaceAll('/pixpax-seal"', `/${run}-seal"`);
    await callReal('POST', `sys/policies/acl/${run}`, { policy });
    const role = `auth/${approle}/role/${run}`;
    await callReal('POST', role, { token_policies: [run], token_ttl: '1h' });
    const { body: id } = await callReal('GET', `${role}/role-id`);
    const { body: secret } = await callReal('POST', `${role}/secret-id`, {});
    const terms = { policies: [run], ttl: '1h' };
    const { body: service } = await callReal('POST', 'auth/token/create', terms);
    const { body: batch } = await callReal('POST', 'auth/token/create', { ...terms, type: 'batch' });
    const given = standIn.addAppRole(run);
    translate = {
      real: {
        names: new Map([
          ['auth/approle/', `auth/${approle}/`],
          ['auth/kubernetes/', `auth/${kubernetes}/`],
          // The sealing key of this run: the real one may be in use.
          ['pixpax-seal', `${run}-seal`],
          ['transit/', `${realVault.transitMount}/`],
          ['ROLE', textAt(id, 'data', 'role_id')],
          ['SECRET', textAt(secret, 'data', 'secret_id')],
        ]),
        tokens: {
          root: realVault.token,
          ours: textAt(service, 'auth', 'client_token'),
          batch: textAt(batch, 'auth', 'client_token'),
          nobody: null,
          'made-up': 'hvs.made-up',
        },
      },
      standIn: {
        names: new Map([
          ['ROLE', given.roleId],
          ['SECRET', given.secretId],
        ]),
        tokens: {
          root: standIn.rootToken,
          ours: standIn.issueToken(),
          batch: standIn.issueToken({ renewable: false }),
          nobody: null,
          'made-up': 'hvs.made-up',
        },
      },
    };
  });
  afterAll(async () => {
    await standIn.close();
    await callReal('DELETE', `sys/auth/${run}-approle`);
    await callReal('DELETE', `sys/auth/${run}-kubernetes`);
    await callReal('DELETE', `sys/policies/acl/${run}`);
    await removeKeys(run);
  });

  const ask = (which: 'real' | 'standIn', [, who, method, path, body]: Call): Promise<RawAnswer> => {
    const { names, tokens } = translate[which];
    const translated = (text: string): string => [...names].reduce((rest, [from, to]) => rest.replace(from, to), text);
    const sent = body && (JSON.parse(translated(JSON.stringify(body))) as Json);
    const at = which === 'real' ? realVault : { address: standIn.address, namespace: null };
    return callRaw(at, tokens[who], method, translated(path), sent);
  };

  it.each(calls.map((call) => ({ title: `${call[0]} (${call[1]})`, call })))('agree: $title', async ({ call }) => {
    const [real, played] = [await ask('real', call), await ask('standIn', call)];
    // Each opens what it sealed itself.
    if (call[0] === 'seal') {
      translate.real.names.set('SEALED', textAt(real.body, 'data', 'ciphertext'));
      translate.standIn.names.set('SEALED', textAt(played.body, 'data', 'ciphertext'));
    }
    expect(played.status).toBe(real.status);
    if (real.status >= 400) expect(played.body).toEqual(real.body);
    else expect(kindsOf(real.body)).toMatchObject(kindsOf(played.body) as object);
  });
});

const textAt = (body: Json, part: string, member: string): string => String((body[part] as Json)[member]);

/** The form of an answer without its particulars: texts that must be equal stay, all else becomes the name of its type. */
const kindsOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(kindsOf);
  if (value === null) return 'null';
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([member, part]) => [member, kindOf(member, part)]));
  return typeof value;
};

const kindOf = (member: string, value: unknown): unknown => {
  if (['type', 'error', 'latest_version', 'key_version', 'min_decryption_version', 'renewable', 'standby'].includes(member))
    return value;
  if (member === 'policies') return 'policies';
  if (member === 'ciphertext') return String(value).replace(/:[A-Za-z0-9+/]{44}$/, ':bytes');
  return member === 'signature' ? String(value).replace(/:M[A-Za-z0-9+/]{88,}=*$|:[A-Za-z0-9_-]{86}$/, ':bytes') : kindsOf(value);
};
