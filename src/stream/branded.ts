import { z } from 'zod';
import type { Result } from '../result.ts';

/** A Zod schema of the branded ids that a parser of `receipt/ids.ts` makes. */
export const branded = <T extends string>(parse: (text: unknown) => Result<T, unknown>): z.ZodType<T> =>
  z.custom<T>((value) => parse(value).ok);
