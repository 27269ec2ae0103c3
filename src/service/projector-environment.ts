import type { Config } from '../config.ts';
import type { PublicKeyId } from '../receipt/ids.ts';

type Given = Readonly<Record<string, string | undefined>>;

/** What Node, the driver of Postgres and the client of the bucket read for themselves: passed on as it is. */
const PASSED =
  /^(PATH|HOME|TMPDIR|TZ|LANG|LC_[A-Z]+|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|PG[A-Z]+|AWS_[A-Z_]+|UV_THREADPOOL_SIZE)$/;
/** Files of secrets that were read already. */
const READ = /_FILE$/;

/**
 * The whole environment of a projector beside the service: the same ledger and the same Postgres, an embedded one too, which a process of its own
 * could not start. The secrets that sign sessions, name codes and open Vault are not in it.
 */
export const projectorEnvironment = (
  { receiptStore, s3, dataDir }: Config,
  { databaseUrl, trust }: { readonly databaseUrl: string; readonly trust: PublicKeyId },
  env: Given,
): Readonly<Record<string, string>> => {
  const passed = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && PASSED.test(name) && !(READ.test(name) && name.startsWith('AWS_')) ? [[name, value] as const] : [],
  );
  return {
    ...Object.fromEntries(passed),
    ...(s3 === null ? {} : { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey }),
    ...{ DATABASE_URL: databaseUrl, RECEIPT_STORE: receiptStore, TRUST_FINGERPRINT: trust, DATA_DIR: dataDir },
  };
};
