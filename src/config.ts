import { resolve } from 'node:path';
import { type ConfigFault, type Environment, environment, type logLevels, withSecretFiles } from './environment.ts';
import { limits } from './limits.ts';
import { type PublicKeyId, type UserId, parseUserId } from './receipt/ids.ts';
import { type Result, err, ok } from './result.ts';

/** How Vault lets us in. */
export type VaultLogin =
  | { readonly method: 'token'; readonly token: string }
  | { readonly method: 'approle'; readonly mountPath: string; readonly roleId: string; readonly secretId: string }
  | { readonly method: 'kubernetes'; readonly mountPath: string; readonly role: string; readonly jwtFile: string };

/** Everything the environment decides, parsed once. Paths are absolute. */
export type Config = {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Where clients reach us: `https://…`, without a trailing slash. */
  readonly publicUrl: string;
  readonly trustedOrigins: readonly string[];
  readonly logLevel: (typeof logLevels)[number];
  readonly dataDir: string;
  readonly database: { readonly kind: 'embedded'; readonly directory: string } | { readonly kind: 'url'; readonly url: string };
  /** As `RECEIPT_STORE` says it: `fs:/…` (absolute) or `s3://bucket?endpoint=…&region=…`. */
  readonly receiptStore: string;
  readonly s3: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  readonly signer:
    | { readonly kind: 'local'; readonly directory: string }
    | {
        readonly kind: 'vault';
        readonly address: string;
        readonly namespace: string | null;
        readonly transitMount: string;
        /** PEM of the authorities to trust instead of the system's. */
        readonly caPem: string | null;
        readonly login: VaultLogin;
      };
  /** Fingerprint the ledger must have; null accepts what is found (and shows it). */
  readonly trust: PublicKeyId | null;
  /** Signs session cookies; null: made once and kept under the data directory. */
  readonly authSecret: string | null;
  /** Codes are made and named with it; null: made once and kept under the data directory. Without it no unclaimed code can be claimed. */
  readonly codeSecret: string | null;
  /** What scrapers show to read /metrics; null: operators alone read them. */
  readonly metricsToken: string | null;
  /** Who is made a member of the operator's account, with the role operator, at start. */
  readonly operatorUsers: readonly UserId[];
  /** How many proxies in front of us add to `X-Forwarded-For`. */
  readonly trustedProxies: number;
  /** Whether requests are counted, and refused when they are too many. */
  readonly rateLimits: boolean;
  /** Hours from one drift run of the service to the next; 0: it begins none by itself. */
  readonly driftEveryHours: number;
  /** Seed the demo account, once; on the embedded Postgres only. */
  readonly demo: boolean;
};

/**
 * The environment → `Config`. All faults are found at once. An empty variable counts as absent. In production nothing embedded is taken
 * for granted: each such part must be asked for by name.
 */
export const parseConfig = (
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Result<Config, readonly ConfigFault[]> => {
  const faults: ConfigFault[] = [];
  const given = withSecretFiles(env, faults);
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    faults.push(...parsed.error.issues.map(({ path, message }) => ({ variable: path.join('.'), detail: `must be ${message}` })));
    return err(faults);
  }
  const config = toConfig(parsed.data, cwd, faults);
  if (config.production) demandNames(parsed.data, faults);
  return faults.length === 0 ? ok(config) : err(faults);
};

const toConfig = (env: Environment, cwd: string, faults: ConfigFault[]): Config => {
  const production = env.NODE_ENV === 'production';
  const dataDir = resolve(cwd, env.DATA_DIR);
  const host = env.HOST ?? (production ? '0.0.0.0' : '127.0.0.1');
  const database: Config['database'] =
    env.DATABASE_URL === undefined || env.DATABASE_URL === 'embedded'
      ? { kind: 'embedded', directory: resolve(dataDir, 'postgres') }
      : { kind: 'url', url: env.DATABASE_URL };
  const store = env.RECEIPT_STORE ?? `fs:${resolve(dataDir, 'receipts')}`;
  return {
    production,
    host,
    port: env.PORT,
    publicUrl: (env.PUBLIC_URL ?? `http://localhost:${env.PORT}`).replace(/\/+$/, ''),
    trustedOrigins: origins(env.TRUSTED_ORIGINS, faults),
    // Beside the greeting of a first start a line for each request would be noise.
    logLevel: env.LOG_LEVEL ?? (production ? 'info' : 'warn'),
    dataDir,
    database,
    receiptStore: store.startsWith('fs:') ? `fs:${resolve(cwd, store.slice('fs:'.length))}` : store,
    s3: s3Credentials(env, store, faults),
    signer:
      env.SIGNER === 'vault'
        ? vaultSigner(env, faults)
        : { kind: 'local', directory: resolve(cwd, env.KEYS_DIR ?? resolve(dataDir, 'keys')) },
    trust: env.TRUST_FINGERPRINT ?? null,
    authSecret: env.AUTH_SECRET ?? null,
    codeSecret: env.CODE_SECRET ?? null,
    metricsToken: env.METRICS_TOKEN ?? null,
    operatorUsers: operatorUsers(env.OPERATOR_USERS, faults),
    trustedProxies: env.TRUSTED_PROXIES,
    rateLimits: env.RATE_LIMITS === 'on',
    // With a Postgres of its own a cluster has a schedule of its own too (k8s/drift-cronjob.yaml).
    driftEveryHours: env.DRIFT_EVERY_HOURS ?? (database.kind === 'embedded' ? limits.driftEveryHours : 0),
    demo: env.DEMO === undefined ? !production : env.DEMO === 'on',
  };
};

const itemsOf = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const origins = (list: string | undefined, faults: ConfigFault[]): readonly string[] =>
  itemsOf(list).filter((origin) => {
    const fits = URL.parse(origin)?.origin === origin;
    if (!fits) faults.push({ variable: 'TRUSTED_ORIGINS', detail: `must be origins like https://pixpax.example, not ${origin}` });
    return fits;
  });

/** An item that is none is not quoted: it may well be somebody's e-mail address. */
const operatorUsers = (list: string | undefined, faults: ConfigFault[]): readonly UserId[] => {
  const users = new Set<UserId>();
  for (const [index, item] of itemsOf(list).entries()) {
    const user = parseUserId(item);
    if (user.ok) users.add(user.value);
    else
      faults.push({
        variable: 'OPERATOR_USERS',
        detail: `must be ids of users; item ${index + 1} is not ${user.error.expected}`,
      });
  }
  return [...users];
};

const s3Credentials = (env: Environment, store: string, faults: ConfigFault[]): Config['s3'] => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  if (store.startsWith('s3:'))
    faults.push({ variable: 'AWS_ACCESS_KEY_ID', detail: 'and AWS_SECRET_ACCESS_KEY must be set for an s3:// store' });
  return null;
};

const vaultSigner = (env: Environment, faults: ConfigFault[]): Config['signer'] => {
  if (env.VAULT_ADDR === undefined) faults.push({ variable: 'VAULT_ADDR', detail: 'must be set when SIGNER=vault' });
  const login = vaultLogin(env);
  if (login === null)
    faults.push({
      variable: 'VAULT_TOKEN',
      detail: 'or VAULT_KUBERNETES_ROLE, or VAULT_ROLE_ID and VAULT_SECRET_ID must be set when SIGNER=vault',
    });
  return {
    kind: 'vault',
    address: env.VAULT_ADDR ?? '',
    namespace: env.VAULT_NAMESPACE ?? null,
    transitMount: env.VAULT_TRANSIT_MOUNT,
    caPem: env.VAULT_CACERT_PEM ?? null,
    login: login ?? { method: 'token', token: '' },
  };
};

const vaultLogin = (env: Environment): VaultLogin | null => {
  if (env.VAULT_KUBERNETES_ROLE !== undefined)
    return {
      method: 'kubernetes',
      role: env.VAULT_KUBERNETES_ROLE,
      jwtFile: env.VAULT_KUBERNETES_JWT_FILE,
      mountPath: env.VAULT_KUBERNETES_MOUNT,
    };
  if (env.VAULT_ROLE_ID !== undefined && env.VAULT_SECRET_ID !== undefined)
    return { method: 'approle', roleId: env.VAULT_ROLE_ID, secretId: env.VAULT_SECRET_ID, mountPath: env.VAULT_APPROLE_MOUNT };
  return env.VAULT_TOKEN === undefined ? null : { method: 'token', token: env.VAULT_TOKEN };
};

/** In production a forgotten variable must not quietly become an embedded part. */
const demandNames = (env: Environment, faults: ConfigFault[]): void => {
  const demand = (variable: keyof Environment, choices: string): void => {
    if (env[variable] === undefined) faults.push({ variable, detail: `must be set in production: ${choices}` });
  };
  demand('DATABASE_URL', 'postgres://…, or embedded if you mean it');
  demand('RECEIPT_STORE', 's3://…, or fs:DIRECTORY if you mean it');
  demand('SIGNER', 'vault, or local if you mean it');
  demand('PUBLIC_URL', 'where clients reach the service');
  demand('AUTH_SECRET', '32 random characters or more, the same in every pod');
  demand('CODE_SECRET', '32 random characters or more, the same in every pod and for ever');
};
