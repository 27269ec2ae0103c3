import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type Answer, type Body, type Call, answered, failed } from './vault/stand-in-answer.ts';
import { vaultTransit } from './vault/stand-in-transit.ts';

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
const terms: TokenTerms = { leaseSeconds: 3600, maxLeaseSeconds: 86_400, renewable: true, policy: 'pixpax', defaultPolicy: true };

const denied = failed(403, '1 error occurred:\n\t* permission denied\n\n');

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
    // Encrypting makes a missing key, which is another right.
    if (token.policy !== 'root' && transit.wouldCreate(call)) return denied;
    if (call.path === 'auth/token/lookup-self') return answered(lookUp(given, token));
    if (call.path === 'auth/token/renew-self') return renew(given, token);
    return transit.answer(call) ?? failed(404, `no handler for route "${call.path}". route entry not found.`);
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
const mayCall = (token: Token, { body, method, path }: Call): boolean => {
  if (token.policy === 'root') return true;
  if (/^auth\/token\/(?:lookup|renew)-self$/.test(path)) return token.defaultPolicy;
  if (token.policy === 'nothing') return false;
  if (method === 'POST' && /^transit\/(?:sign\/pixpax-.*|(?:encrypt|decrypt)\/pixpax-seal)$/.test(path)) return true;
  // The path of its own takes the place of keys/+, whatever is asked there.
  if (path === 'transit/keys/pixpax-seal') return method === 'POST' && (body.type ?? 'aes256-gcm96') === 'aes256-gcm96';
  return /^transit\/keys\/[^/]+$/.test(path) && (method === 'GET' || body.type === 'ecdsa-p256');
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
