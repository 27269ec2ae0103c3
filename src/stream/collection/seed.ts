import { hash } from 'node:crypto';
import { type Seed, type Sha256, parseSeed } from '../../receipt/ids.ts';

/** As many bytes as its hash has, so that guessing the seed is no easier than forging the commitment. */
const SEED_BYTES = 32;

/** The seed that these 32 bytes of chance make. Throws RangeError for any other number of bytes: they cannot be a seed of ours. */
export const newSeed = (bytes: Uint8Array): Seed => {
  const seed = parseSeed(Buffer.from(bytes).toString('hex'));
  if (!seed.ok) throw new RangeError(`a seed has ${SEED_BYTES} bytes, not ${bytes.length}`);
  return seed.value;
};

/** The 32 bytes of a seed: what is hashed, sealed and drawn with. */
export const seedBytesOf = (seed: Seed): Buffer => Buffer.from(seed, 'hex');

/** The commitment to a seed (domain rule 6): `sha256:` and the hex of SHA-256 over its 32 bytes, not over their hex. */
export const seedHashOf = (seed: Seed): Sha256 => `sha256:${hash('sha256', seedBytesOf(seed), 'hex')}` as Sha256;
