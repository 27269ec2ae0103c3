/** How the service proves to Vault who it is. */
export type VaultLogin =
  /** A token made elsewhere. It is renewed while Vault allows it; when it ends, the service needs a new one and a restart. */
  | { readonly method: 'token'; readonly token: string }
  /** AppRole. `mountPath`: where the method is enabled, `approle` unless somebody chose otherwise. */
  | { readonly method: 'approle'; readonly mountPath: string; readonly roleId: string; readonly secretId: string }
  /** Kubernetes. `jwtFile`: the service-account token, read anew at each login because the kubelet replaces it. */
  | { readonly method: 'kubernetes'; readonly mountPath: string; readonly role: string; readonly jwtFile: string };

/** Which Vault (or OpenBao) holds the keys, and how to get in. Holds secrets: never log it. */
export type VaultConfig = {
  /** `https://host:8200`, without user, path or query. */
  readonly address: string;
  /** Where the Transit engine is mounted: `transit`, or a path such as `teams/pixpax/transit`. */
  readonly transitMount: string;
  /** Of Vault Enterprise, HCP or OpenBao; null for the root namespace. */
  readonly namespace: string | null;
  /** PEM of the authorities to trust *instead of* the system's; null for the system's. */
  readonly caPem: string | null;
  readonly login: VaultLogin;
};

/** What the environment leaves out. */
export const vaultDefaults = {
  transitMount: 'transit',
  approleMount: 'approle',
  kubernetesMount: 'kubernetes',
  kubernetesJwtFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
} as const;

const PATH = /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/;
const HEADER_TEXT = /^[\x21-\x7e]+$/;

/** What is wrong with a configuration, one sentence each; empty when nothing is. Never quotes a secret. */
export const vaultConfigProblems = (config: VaultConfig): readonly string[] => {
  const { address, caPem, login, namespace, transitMount } = config;
  const problems: string[] = [];
  const require = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  require(isOrigin(address), 'the address of Vault must be http(s)://host:port, without user, path or query');
  require(PATH.test(transitMount), 'the Transit mount must be a path such as transit, without slashes at its ends');
  require(namespace === null || PATH.test(namespace), 'the namespace must be a path such as team/pixpax');
  require(caPem === null ||
    caPem.includes('-----BEGIN CERTIFICATE-----'), 'the file of authorities must hold certificates in PEM');
  if (login.method === 'token') return [...problems, ...secretProblems('the token', login.token)];
  require(PATH.test(login.mountPath), `the ${login.method} mount must be a path such as ${login.method}`);
  if (login.method === 'kubernetes') {
    require(login.role !== '', 'the Kubernetes role must not be empty');
    require(login.jwtFile !== '', 'the path of the service-account token must not be empty');
    return problems;
  }
  return [...problems, ...secretProblems('the role id', login.roleId), ...secretProblems('the secret id', login.secretId)];
};

const secretProblems = (what: string, secret: string): readonly string[] =>
  HEADER_TEXT.test(secret) ? [] : [`${what} must be visible ASCII characters: a line break at its end is a common mistake`];

const isOrigin = (address: string): boolean => {
  const url = URL.parse(address);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
  return url.username === '' && url.password === '' && url.pathname === '/' && url.search === '' && url.hash === '';
};
