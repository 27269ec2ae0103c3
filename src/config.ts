import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type PublicKeyId, parsePublicKeyId } from './receipt/ids.ts';
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
  /** How many proxies in front of us add to `X-Forwarded-For`. */
  readonly trustedProxies: number;
  /** Seed the demo account, once; on the embedded Postgres only. */
  readonly demo: boolean;
};

/** One thing wrong with the environment: which variable, and what to do. Never quotes a value that may be secret. */
export type ConfigFault = { readonly variable: string; readonly detail: string };

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const environment = z.object({
  NODE_ENV: z.string().optional(),
  HOST: z.string().min(1).optional(),
  PORT: z.coerce.number({ error: 'a port number, 0–65535' }).int().min(0).max(65535).default(8080),
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'an http(s) URL' }).optional(),
  TRUSTED_ORIGINS: z.string().optional(),
  LOG_LEVEL: z.enum(logLevels, { error: `one of ${logLevels.join(', ')}` }).optional(),
  DATA_DIR: z.string().min(1).default('./data'),
  DATABASE_URL: z
    .string()
    .regex(/^(embedded|postgres(ql)?:\/\/.+)$/, { error: 'postgres://… or the word embedded' })
    .optional(),
  RECEIPT_STORE: z
    .string()
    .regex(/^(fs:.+|s3:\/\/.+)$/, { error: 'fs:DIRECTORY or s3://BUCKET?endpoint=…&region=…' })
    .optional(),
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  KEYS_DIR: z.string().min(1).optional(),
  SIGNER: z.enum(['local', 'vault'], { error: 'local or vault' }).optional(),
  VAULT_ADDR: z.url({ protocol: /^https?$/, error: 'an http(s) URL' }).optional(),
  VAULT_TOKEN: z.string().min(1).optional(),
  VAULT_ROLE_ID: z.string().min(1).optional(),
  VAULT_SECRET_ID: z.string().min(1).optional(),
  VAULT_APPROLE_MOUNT: z.string().min(1).default('approle'),
  VAULT_KUBERNETES_ROLE: z.string().min(1).optional(),
  VAULT_KUBERNETES_MOUNT: z.string().min(1).default('kubernetes'),
  VAULT_KUBERNETES_JWT_FILE: z.string().min(1).default('/var/run/secrets/kubernetes.io/serviceaccount/token'),
  VAULT_NAMESPACE: z.string().min(1).optional(),
  VAULT_TRANSIT_MOUNT: z.string().min(1).default('transit'),
  VAULT_CACERT_PEM: z.string().min(1).optional(),
  TRUST_FINGERPRINT: z
    .custom<PublicKeyId>((text) => parsePublicKeyId(text).ok, { error: 'sha256: and 64 lower-case hex' })
    .optional(),
  AUTH_SECRET: z.string().min(32, { error: 'at least 32 characters' }).optional(),
  TRUSTED_PROXIES: z.coerce.number({ error: 'a number, 0–10' }).int().min(0).max(10).default(0),
  DEMO: z.enum(['on', 'off'], { error: 'on or off' }).optional(),
});

type Environment = z.infer<typeof environment>;

/** Variables that may instead name a file, as `…_FILE`, which is how orchestrators hand out secrets. */
const fileVariables = [
  'DATABASE_URL',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'VAULT_TOKEN',
  'VAULT_SECRET_ID',
  'VAULT_CACERT_PEM',
  'AUTH_SECRET',
];

/** Every variable that is read: whoever writes them down elsewhere (k8s/) can be held against it. */
export const variables: readonly string[] = [...Object.keys(environment.shape), ...fileVariables.map((name) => `${name}_FILE`)];

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

const withSecretFiles = (
  env: Readonly<Record<string, string | undefined>>,
  faults: ConfigFault[],
): Record<string, string | undefined> => {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  for (const variable of fileVariables) {
    const file = given[`${variable}_FILE`];
    if (file === undefined) continue;
    if (given[variable] !== undefined) {
      faults.push({ variable, detail: `is set, and so is ${variable}_FILE: unset one of them` });
      continue;
    }
    try {
      given[variable] = readFileSync(file, 'utf8').trimEnd();
    } catch {
      faults.push({ variable: `${variable}_FILE`, detail: 'names a file that cannot be read' });
    }
  }
  return given;
};

const toConfig = (env: Environment, cwd: string, faults: ConfigFault[]): Config => {
  const production = env.NODE_ENV === 'production';
  const dataDir = resolve(cwd, env.DATA_DIR);
  const host = env.HOST ?? (production ? '0.0.0.0' : '127.0.0.1');
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
    database:
      env.DATABASE_URL === undefined || env.DATABASE_URL === 'embedded'
        ? { kind: 'embedded', directory: resolve(dataDir, 'postgres') }
        : { kind: 'url', url: env.DATABASE_URL },
    receiptStore: store.startsWith('fs:') ? `fs:${resolve(cwd, store.slice('fs:'.length))}` : store,
    s3: s3Credentials(env, store, faults),
    signer:
      env.SIGNER === 'vault'
        ? vaultSigner(env, faults)
        : { kind: 'local', directory: resolve(cwd, env.KEYS_DIR ?? resolve(dataDir, 'keys')) },
    trust: env.TRUST_FINGERPRINT ?? null,
    authSecret: env.AUTH_SECRET ?? null,
    trustedProxies: env.TRUSTED_PROXIES,
    demo: env.DEMO === undefined ? !production : env.DEMO === 'on',
  };
};

const origins = (text: string | undefined, faults: ConfigFault[]): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
    .filter((origin) => {
      const fits = URL.parse(origin)?.origin === origin;
      if (!fits)
        faults.push({ variable: 'TRUSTED_ORIGINS', detail: `must be origins like https://pixpax.example, not ${origin}` });
      return fits;
    });

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
};
