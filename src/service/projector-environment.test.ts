import { expect, it } from 'vitest';
import { granted } from '../../test/ledger-fixture.ts';
import { parseConfig } from '../config.ts';
import type { PublicKeyId } from '../receipt/ids.ts';
import { projectorEnvironment } from './projector-environment.ts';

const trust = `sha256:${'0'.repeat(64)}` as PublicKeyId;
const databaseUrl = 'postgres://ledger:secret@127.0.0.1:5433/ledger';
const secrets = { AUTH_SECRET: 'a'.repeat(32), CODE_SECRET: 'c'.repeat(32), METRICS_TOKEN: 'm'.repeat(32), VAULT_TOKEN: 'v' };

const given = {
  ...secrets,
  NODE_ENV: 'production',
  NODE_OPTIONS: '--inspect',
  DATABASE_URL: 'embedded',
  RECEIPT_STORE: 's3://bucket?endpoint=https://store.example&region=x',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'key',
  SIGNER: 'vault',
  VAULT_ADDR: 'https://vault.example',
  PUBLIC_URL: 'https://ledger.example',
  PATH: '/bin',
  PGSSLROOTCERT: '/etc/ca.pem',
};

it('A projector beside the service finds the same ledger, also on an embedded Postgres, and no secret that it does not need.', () => {
  const config = granted(parseConfig(given, '/srv'));
  const env = projectorEnvironment(config, { databaseUrl, trust }, given);
  expect(env).toEqual({
    PATH: '/bin',
    PGSSLROOTCERT: '/etc/ca.pem',
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'key',
    DATABASE_URL: databaseUrl,
    RECEIPT_STORE: given.RECEIPT_STORE,
    TRUST_FINGERPRINT: trust,
    DATA_DIR: '/srv/data',
  });
  expect(granted(parseConfig(env, '/elsewhere'))).toMatchObject({
    database: { kind: 'url', url: databaseUrl },
    receiptStore: config.receiptStore,
    s3: config.s3,
    trust,
    dataDir: config.dataDir,
  });
});

it('What was read from files is handed on, and not once more as files.', () => {
  const file = { AWS_ACCESS_KEY_ID_FILE: '/nowhere', AWS_REGION: 'x' };
  const config = { ...granted(parseConfig({}, '/srv')), s3: { accessKeyId: 'id', secretAccessKey: 'key' } };
  const env = projectorEnvironment(config, { databaseUrl, trust }, file);
  expect(env).toMatchObject({ AWS_REGION: 'x', AWS_ACCESS_KEY_ID: 'id', RECEIPT_STORE: 'fs:/srv/data/receipts' });
  expect(env).not.toHaveProperty('AWS_ACCESS_KEY_ID_FILE');
});
