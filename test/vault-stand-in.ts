import { type KeyObject, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';

/**
 * An HTTP server that answers as Vault 1.21 does, as far as the signer asks it: the bodies, statuses and texts were taken down from a
 * real one. What differs from a Vault: keys and tokens live in RAM, policies are fixed, and it fails when told to.
 */
export type VaultStandIn = {
  readonly address: string;
  readonly rootToken: string;
  /** What was asked for, in order: `POST transit/keys/pixpax-a`. */
  readonly asked: readonly string[];
  /** Switches; a test turns them at will. */
  readonly state: StandInState;
  /** Makes the next `times` calls that match fail so. */
  failNext(call: RegExp, fault: Fault, times?: number): void;
  /** A token with our policy. */
  issueToken(terms?: Partial<TokenTerms>): string;
  addAppRole(name: string, terms?: Partial<TokenTerms>): { readonly roleId: string; readonly secretId: string };
  addKubernetesRole(name: string, jwt: string, terms?: Partial<TokenTerms>): void;
  /** As an operator does: `vault token revoke`. */
  revokeAllTokens(): void;
  close(): Promise<void>;
};

export type StandInState = {
  sealed: boolean;
  initialized: boolean;
  /** `forwards`: a standby that hands calls to the leader, as they do unless told otherwise. */
  standby: 'no' | 'forwards' | 'refuses';
  /** Old servers said no more than "permission denied" of a token that has ended. */
  namesInvalidTokens: boolean;
  refusesRenewals: boolean;
  /** Other than null: calls without this namespace find nothing. */
  namespace: string | null;
  now: () => number;
};

export type TokenTerms = {
  readonly leaseSeconds: number;
  readonly maxLeaseSeconds: number;
  readonly renewable: boolean;
  readonly policy: 'root' | 'pixpax' | 'nothing';
  /** Whether lookup-self and renew-self are allowed. */
  readonly defaultPolicy: boolean;
};

export type Fault =
  | { readonly status: number; readonly errors: readonly string[] }
  | { readonly body: unknown }
  | { readonly text: string }
  | { readonly redirect: string }
  | { readonly patch: (body: Record<string, unknown>) => unknown }
  | 'reset'
  | 'hang'
  | 'trickle';

type Token = TokenTerms & { readonly bornMs: number; endsMs: number };
type Key = {
  readonly type: string;
  readonly versions: readonly (KeyObject | null)[];
  minDecryption: number;
  minEncryption: number;
};
type Answer = { readonly status: number; readonly body: unknown };
type Call = { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: Body };
type Body = Readonly<Record<string, unknown>>;

const terms: TokenTerms = { leaseSeconds: 3600, maxLeaseSeconds: 86_400, renewable: true, policy: 'pixpax', defaultPolicy: true };
const failed = (status: number, ...errors: readonly string[]): Answer => ({ status, body: { errors } });
const answered = (data: unknown): Answer => ({
  status: 200,
  body: {
    request_id: 'stand-in',
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data,
    wrap_info: null,
    warnings: null,
    auth: null,
  },
});
const denied = failed(403, '1 error occurred:\n\t* permission denied\n\n');
const lines = (text: string): string => `1 error occurred:\n\t* ${text}\n\n`;

export const startVaultStandIn = async (): Promise<VaultStandIn> => {
  const state: StandInState = {
    sealed: false,
    initialized: true,
    standby: 'no',
    namesInvalidTokens: true,
    refusesRenewals: false,
    namespace: null,
    now: Date.now,
  };
  const asked: string[] = [];
  const faults: { readonly call: RegExp; readonly fault: Fault; left: number }[] = [];
  const tokens = new Map<string, Token>();
  const logins = vaultLogins(state, (lease) => issue(lease));
  const transit = vaultTransit();

  const issue = (lease: TokenTerms): string => {
    const token = `hvs.${randomBytes(24).toString('base64url')}`;
    tokens.set(token, { ...lease, bornMs: state.now(), endsMs: endOf(lease) });
    return token;
  };
  const endOf = (lease: TokenTerms): number => (lease.leaseSeconds === 0 ? Infinity : state.now() + lease.leaseSeconds * 1000);

  const answer = (call: Call): Answer => {
    if (call.path === 'sys/health') return health(state, call);
    if (state.sealed) return failed(503, 'Vault is sealed');
    if (state.standby === 'refuses') return failed(503, 'node is not active');
    if (state.namespace !== null && call.headers['x-vault-namespace'] !== state.namespace) return denied;
    if (call.path.startsWith('auth/') && call.path.endsWith('/login')) return logins.answer(call);
    const given = call.headers['x-vault-token'];
    const token = typeof given === 'string' ? tokens.get(given) : undefined;
    if (given === undefined) return failed(403, 'permission denied');
    if (token === undefined || token.endsMs <= state.now() || typeof given !== 'string') {
      return failed(
        403,
        state.namesInvalidTokens ? '2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n' : 'permission denied',
      );
    }
    if (!mayCall(token, call)) return denied;
    if (call.path === 'auth/token/lookup-self') return answered(lookUp(given, token));
    if (call.path === 'auth/token/renew-self') return renew(given, token);
    return transit(call) ?? failed(404, `no handler for route "${call.path}". route entry not found.`);
  };

  const lookUp = (id: string, token: Token): unknown => ({
    id,
    ttl: token.endsMs === Infinity ? 0 : Math.ceil((token.endsMs - state.now()) / 1000),
    creation_ttl: token.leaseSeconds,
    // A token without an end says nothing of renewals.
    ...(token.endsMs === Infinity ? {} : { renewable: token.renewable }),
    policies: ['default', token.policy],
    type: 'service',
  });
  const renew = (id: string, token: Token): Answer => {
    if (!token.renewable) return failed(400, 'batch tokens cannot be renewed');
    if (state.refusesRenewals) return denied;
    token.endsMs = Math.min(endOf(token), token.bornMs + token.maxLeaseSeconds * 1000);
    return granted(id, Math.ceil((token.endsMs - state.now()) / 1000), true);
  };

  const server = createServer((request, response) => {
    void receive(request).then((call) => {
      const line = `${call.method} ${call.path}`;
      asked.push(line);
      const due = faults.find(({ call: pattern, left }) => left > 0 && pattern.test(line));
      if (due !== undefined) due.left -= 1;
      respond(response, due?.fault ?? null, () => answer(call));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('not bound');

  return {
    address: `http://127.0.0.1:${bound.port}`,
    rootToken: issue({ ...terms, policy: 'root', leaseSeconds: 0, renewable: false }),
    asked,
    state,
    failNext: (call, fault, times = 1) => void faults.push({ call, fault, left: times }),
    issueToken: (wanted) => issue({ ...terms, ...wanted }),
    addAppRole: (name, wanted) => logins.addAppRole(name, { ...terms, ...wanted }),
    addKubernetesRole: (name, jwt, wanted) => logins.addKubernetesRole(name, jwt, { ...terms, ...wanted }),
    revokeAllTokens: () => tokens.clear(),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

const receive = async (request: IncomingMessage): Promise<Call> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const path = decodeURIComponent((request.url ?? '').replace(/^\/v1\//, '').replace(/\?.*$/, ''));
  return { method: request.method ?? '', path, headers: request.headers, body: text === '' ? {} : (JSON.parse(text) as Body) };
};

const respond = (response: ServerResponse, fault: Fault | null, answer: () => Answer): void => {
  if (fault === 'hang') return;
  if (fault === 'reset') return void response.socket?.resetAndDestroy();
  if (fault === 'trickle') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{');
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
    return;
  }
  if (fault !== null && 'redirect' in fault) return void response.writeHead(307, { location: fault.redirect }).end();
  if (fault !== null && 'text' in fault) return void response.writeHead(200, { 'content-type': 'text/html' }).end(fault.text);
  const { status, body } = answerOf(fault, answer);
  response.writeHead(status, { 'content-type': 'application/json' }).end(status === 204 ? '' : JSON.stringify(body));
};

const answerOf = (
  fault: Exclude<Fault, string | { text: string } | { redirect: string }> | null,
  answer: () => Answer,
): Answer => {
  if (fault === null) return answer();
  if ('status' in fault) return failed(fault.status, ...fault.errors);
  if ('body' in fault) return { status: 200, body: fault.body };
  const { status, body } = answer();
  return { status, body: fault.patch(JSON.parse(JSON.stringify(body)) as Record<string, unknown>) };
};

/** Served without a token and in the root namespace only; the status says what the body says. */
const health = (state: StandInState, call: Call): Answer => {
  if (call.headers['x-vault-namespace'] !== undefined) return failed(404, 'unsupported path');
  const standby = state.sealed || state.standby !== 'no';
  const body = { initialized: state.initialized, sealed: state.sealed, standby, performance_standby: false, version: '1.21.4' };
  if (!state.initialized) return { status: 501, body };
  if (state.sealed) return { status: 503, body };
  return { status: standby ? 429 : 200, body };
};

/** k8s/vault-policy.hcl, and what Vault's `default` policy adds. */
const mayCall = (token: Token, { method, path }: Call): boolean => {
  if (token.policy === 'root') return true;
  if (/^auth\/token\/(?:lookup|renew)-self$/.test(path)) return token.defaultPolicy;
  if (token.policy === 'nothing') return false;
  return (method === 'POST' && /^transit\/sign\/pixpax-/.test(path)) || /^transit\/keys\/[^/]+$/.test(path);
};

const granted = (token: string, seconds: number, renewable: boolean): Answer => ({
  status: 200,
  body: {
    request_id: 'stand-in',
    data: null,
    auth: { client_token: token, accessor: 'accessor', policies: ['default', 'pixpax'], lease_duration: seconds, renewable },
  },
});

const vaultLogins = (state: StandInState, issue: (lease: TokenTerms) => string) => {
  type Role = { readonly secretId: string; readonly lease: TokenTerms; wrongSecrets: number; lockedUntilMs: number };
  const appRoles = new Map<string, Role>();
  const kubernetesRoles = new Map<string, { readonly jwt: string; readonly lease: TokenTerms }>();
  const grant = (lease: TokenTerms): Answer => granted(issue(lease), lease.leaseSeconds, lease.renewable);

  const appRole = ({ role_id: roleId, secret_id: secretId }: Body): Answer => {
    const role = typeof roleId === 'string' ? appRoles.get(roleId) : undefined;
    if (typeof secretId !== 'string' || secretId === '') return failed(400, 'missing secret_id');
    if (role === undefined) return failed(400, 'invalid role or secret ID');
    if (role.lockedUntilMs > state.now()) return failed(403, 'permission denied');
    if (role.secretId === secretId) return grant(role.lease);
    role.wrongSecrets += 1;
    // Five wrong secrets lock the role for a quarter of an hour: the right one is turned away as well.
    if (role.wrongSecrets % 5 === 0) role.lockedUntilMs = state.now() + 15 * 60_000;
    return failed(400, 'invalid role or secret ID');
  };
  const kubernetes = ({ role: name, jwt }: Body): Answer => {
    const role = typeof name === 'string' ? kubernetesRoles.get(name) : undefined;
    if (role === undefined) return failed(400, `invalid role name ${JSON.stringify(name)}`);
    if (typeof jwt !== 'string' || jwt === '') return failed(400, 'missing jwt');
    return role.jwt === jwt ? grant(role.lease) : failed(403, 'permission denied');
  };

  return {
    answer: ({ path, body }: Call): Answer => {
      if (path === 'auth/approle/login') return appRole(body);
      if (path === 'auth/kubernetes/login') return kubernetes(body);
      return failed(403, 'permission denied');
    },
    addAppRole: (name: string, lease: TokenTerms) => {
      const roleId = `role-${name}-${randomBytes(8).toString('hex')}`;
      const secretId = `secret-${randomBytes(16).toString('hex')}`;
      appRoles.set(roleId, { secretId, lease, wrongSecrets: 0, lockedUntilMs: 0 });
      return { roleId, secretId };
    },
    addKubernetesRole: (name: string, jwt: string, lease: TokenTerms): void => void kubernetesRoles.set(name, { jwt, lease }),
  };
};

/** The Transit engine at `transit/`: null for a path that it does not have. */
const vaultTransit = (): ((call: Call) => Answer | null) => {
  const keys = new Map<string, Key>();

  const describeKey = (name: string, key: Key): Answer => {
    const shown = key.versions.map(
      (pair, i) => [String(i + 1), pair === null ? 1 : { name: 'P-256', public_key: publicPem(pair) }] as const,
    );
    return answered({
      name,
      type: key.type,
      keys: Object.fromEntries(shown.filter(([version]) => Number(version) >= key.minDecryption)),
      latest_version: key.versions.length,
      min_decryption_version: key.minDecryption,
      min_encryption_version: key.minEncryption,
      supports_signing: key.type === 'ecdsa-p256',
    });
  };

  const write = (name: string, { type = 'aes256-gcm96' }: Body): Answer => {
    const made: Key = { type: String(type), versions: [pairOf(String(type))], minDecryption: 1, minEncryption: 0 };
    const key = keys.get(name) ?? made;
    keys.set(name, key);
    return describeKey(name, key);
  };

  const operate = (name: string, key: Key, operation: string, body: Body): Answer => {
    let next = key;
    if (operation === 'rotate') next = { ...key, versions: [...key.versions, pairOf(key.type)] };
    if (operation === 'config') {
      next = { ...key, minDecryption: Number(body.min_decryption_version ?? key.minDecryption) };
      next.minEncryption = Number(body.min_encryption_version ?? key.minEncryption);
    }
    keys.set(name, next);
    return describeKey(name, next);
  };

  const refuse = (error: string) => ({ error, key_version: 0 }) as const;

  const signItem = (
    key: Key,
    item: Body,
    body: Body,
  ): { readonly signature: string; readonly key_version: number } | { readonly error: string; readonly key_version: 0 } => {
    const { input } = item;
    if (typeof input !== 'string') return refuse('missing input');
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(input)) {
      return refuse('unable to decode input: illegal base64 data at input byte 0');
    }
    const version = Number(body.key_version ?? 0) || key.versions.length;
    if (version > key.versions.length) return refuse('requested version for signing is higher than the latest key version');
    if (version < key.minEncryption)
      return refuse('requested version for signing is less than the minimum encryption key version');
    const pair = version < key.minDecryption ? null : key.versions[version - 1];
    if (!pair) return refuse('no such key version');
    const isJws = body.marshaling_algorithm === 'jws';
    const dsaEncoding = isJws ? 'ieee-p1363' : 'der';
    const bytes = sign('sha256', Buffer.from(input, 'base64'), { key: pair, dsaEncoding });
    return { signature: `vault:v${version}:${bytes.toString(isJws ? 'base64url' : 'base64')}`, key_version: version };
  };

  const signAll = (name: string, body: Body): Answer => {
    const key = keys.get(name);
    if (key === undefined) return failed(400, 'signing key not found');
    if (key.type !== 'ecdsa-p256') return failed(400, `key type ${key.type} does not support signing`);
    const batch = body.batch_input;
    if (Array.isArray(batch)) {
      if (batch.length === 0) return failed(400, 'missing batch input to process');
      return answered({ batch_results: batch.map((item: Body) => ({ ...signItem(key, item, body), reference: '' })) });
    }
    const result = signItem(key, body, body);
    if ('signature' in result) return answered(result);
    return /key version/.test(result.error) ? failed(500, lines(result.error)) : failed(400, result.error);
  };

  return ({ method, path, body }) => {
    const [mount, what = '', name = '', operation] = path.split('/');
    if (mount !== 'transit') return null;
    if (what === 'sign' && method === 'POST' && operation === 'sha2-256') return signAll(name, body);
    if (what !== 'keys' || name === '') return null;
    const key = keys.get(name);
    if (operation === undefined && method === 'POST') return write(name, body);
    if (key === undefined) return failed(404);
    return operation === undefined ? describeKey(name, key) : operate(name, key, operation, body);
  };
};

const pairOf = (type: string): KeyObject | null => {
  if (type === 'ecdsa-p256') return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  if (type === 'ecdsa-p384') return generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey;
  return null;
};

const publicPem = (pair: KeyObject): string => createPublicKey(pair).export({ type: 'spki', format: 'pem' }).toString();
