import { existsSync } from 'node:fs';
import { openLocalSigner } from '../../src/adapter/local-signer/signer.ts';
import { vaultConfigProblems } from '../../src/adapter/vault/config.ts';
import { openVault } from '../../src/adapter/vault/open.ts';
import type { Signer } from '../../src/port/signer.ts';
import { type VerbContext, WrongUse } from './verb.ts';

/** Runs `use` with the configured signer. Throws `Outage`, and `WrongUse` when none is configured, or one that cannot work. */
export const withSigner = async <T>({ config }: VerbContext, use: (signer: Signer) => Promise<T>): Promise<T> => {
  const { signer: custody } = config();
  if (custody === undefined) throw new WrongUse('SIGNER must be set: vault, or local with KEYS_DIR');
  const signer = custody.kind === 'local' ? await openKeys(custody.directory) : await openTransit(custody);
  try {
    return await use(signer);
  } finally {
    await signer.close();
  }
};

/** The directory would be made: keys that are somewhere else must not look like keys that are lost. */
const openKeys = (directory: string): Promise<Signer> => {
  if (!existsSync(directory)) throw new WrongUse(`there are no keys in ${directory}: set KEYS_DIR, or SIGNER=vault`);
  return openLocalSigner(directory);
};

const openTransit = async (config: Parameters<typeof openVault>[0]): Promise<Signer> => {
  const problems = vaultConfigProblems(config);
  if (problems.length > 0) throw new WrongUse(`SIGNER=vault: ${problems.join('; ')}`);
  return (await openVault(config)).signer;
};
