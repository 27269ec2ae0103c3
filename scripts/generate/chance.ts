import { createHash } from 'node:crypto';

/** Chance that is the same for the same seed, so that what is generated has the same shape each time. */
export type Chance = {
  /** In [0, 1). */
  readonly next: () => number;
  /** An integer in 0…`count` - 1. */
  readonly below: (count: number) => number;
  /** An integer in `least`…`most`, both included. */
  readonly between: (least: number, most: number) => number;
  readonly happens: (probability: number) => boolean;
  /** One of these. Throws RangeError when there are none. */
  readonly oneOf: <T>(choices: readonly T[]) => T;
  /** A version 4 UUID, as clients make them for their idempotency keys. */
  readonly uuid: () => string;
};

/** Chance of its own for each name: what one part asks for does not change what another is told. Generator: sfc32. */
export const chanceOf = (seed: string, name: string): Chance => {
  const digest = createHash('sha256').update(`pixpax/generate/v1\0${seed}\0${name}`).digest();
  let [a, b, c, counter] = [digest.readInt32LE(0), digest.readInt32LE(4), digest.readInt32LE(8), 1];
  const bits32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  const next = (): number => bits32() / 2 ** 32;
  const below = (count: number): number => Math.floor(next() * count);
  return {
    next,
    below,
    between: (least, most) => least + below(most - least + 1),
    happens: (probability) => next() < probability,
    oneOf: (choices) => {
      const choice = choices[below(choices.length)];
      if (choice === undefined) throw new RangeError('there is nothing to choose from');
      return choice;
    },
    uuid: () => {
      const hex = Array.from({ length: 4 }, () => bits32().toString(16).padStart(8, '0')).join('');
      const variant = '89ab'.charAt(Number.parseInt(hex.charAt(16), 16) % 4);
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
    },
  };
};
