import { randomBytes } from 'node:crypto';
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
  let translate: Record<
    'real' | 'standIn',
    { readonly names: ReadonlyMap<string, string>; readonly tokens: Record<Who, string | null> }
  >;

  beforeAll(async () => {
    standIn = await startVaultStandIn();
    const [approle, kubernetes] = [`${run}-approle`, `${run}-kubernetes`];
    await callReal('POST', `sys/auth/${approle}`, { type: 'approle' });
    await callReal('POST', `sys/auth/${kubernetes}`, { type: 'kubernetes' });
    const rules = ['transit/sign/pixpax-*" {capabilities=["update"]}', 'transit/keys/+" {capabilities=["update","read"]}'];
    const policy = rules.map((rule) => `path "${rule.replace('transit', realVault.transitMount)}`).join('\n');
    await callReal('POST', `sys/policies/acl/${run}`, { policy });
    const role = `auth/${approle}/role/${run}`;
    await callReal('POST', role, { token_policies: [run], token_ttl: '1h' });
    const { body: id } = await callReal('GET', `${role}/role-id`);
    const { body: secret } = await callReal('POST', `${role}/secret-id`, {});
    const terms = { policies: [run], ttl: '1h' };
    const { body: ours } = await callReal('POST', 'auth/token/create', terms);
    const { body: batch } = await callReal('POST', 'auth/token/create', { ...terms, type: 'batch' });
    const given = standIn.addAppRole(run);
    translate = {
      real: {
        names: new Map([
          ['auth/approle/', `auth/${approle}/`],
          ['auth/kubernetes/', `auth/${kubernetes}/`],
          ['transit/', `${realVault.transitMount}/`],
          ['ROLE', textAt(id, 'data', 'role_id')],
          ['SECRET', textAt(secret, 'data', 'secret_id')],
        ]),
        tokens: {
          root: realVault.token,
          ours: textAt(ours, 'auth', 'client_token'),
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
  return member === 'signature' ? String(value).replace(/:M[A-Za-z0-9+/]{88,}=*$|:[A-Za-z0-9_-]{86}$/, ':bytes') : kindsOf(value);
};
