import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { limits } from './limits.ts';
import { type PublicKeyId, parsePublicKeyId } from './receipt/ids.ts';

/** One thing wrong with the environment: which variable, and what to do. Never quotes a value that may be secret. */
export type ConfigFault = { readonly variable: string; readonly detail: string };

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const secret = z
  .string()
  .min(limits.secretMinChars, { error: `at least ${limits.secretMinChars} characters` })
  .optional();

/** An address that is shown: on pages, in logs, in refusals. It holds no password. */
const shownUrl = z
  .url({ protocol: /^https?$/, error: 'an http(s) URL' })
  .refine((text) => URL.parse(text)?.username === '' && URL.parse(text)?.password === '', {
    error: 'an http(s) URL without a name or a password in it',
  })
  .optional();

/** Each variable on its own; what one asks of another is `parseConfig`'s. */
export const environment = z.object({
  NODE_ENV: z.string().optional(),
  HOST: z.string().min(1).optional(),
  PORT: z.coerce.number({ error: 'a port number, 0–65535' }).int().min(0).max(65535).default(8080),
  PUBLIC_URL: shownUrl,
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
  VAULT_ADDR: shownUrl,
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
  AUTH_SECRET: secret,
  CODE_SECRET: secret,
  METRICS_TOKEN: secret,
  OPERATOR_USERS: z.string().optional(),
  TRUSTED_PROXIES: z.coerce.number({ error: 'a number, 0–10' }).int().min(0).max(10).default(0),
  RATE_LIMITS: z.enum(['on', 'off'], { error: 'on or off' }).default('on'),
  DRIFT_EVERY_HOURS: z.coerce.number({ error: 'a number of hours, 0 (never) to 8760' }).int().min(0).max(8760).optional(),
  DEMO: z.enum(['on', 'off'], { error: 'on or off' }).optional(),
});

export type Environment = z.infer<typeof environment>;

/** Variables that may instead name a file, as `…_FILE`, which is how orchestrators hand out secrets. */
const fileVariables = [
  'DATABASE_URL',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'VAULT_TOKEN',
  'VAULT_SECRET_ID',
  'VAULT_CACERT_PEM',
  'AUTH_SECRET',
  'CODE_SECRET',
  'METRICS_TOKEN',
];

/** Every variable that is read: whoever writes them down elsewhere (k8s/) can be held against it. */
export const variables: readonly string[] = [...Object.keys(environment.shape), ...fileVariables.map((name) => `${name}_FILE`)];

/** The variables with the contents of the files in their place. An empty variable counts as absent. */
export const withSecretFiles = (
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
