import { limits } from '../limits.ts';
import type { Stream } from '../receipt/stream.ts';
import type { StreamVerification, VerifyStream } from './parts.ts';

/** Verifies a stream unless `limits.concurrentVerifications` are being verified already: then null. */
export type VerifyIfFree = (stream: Stream) => Promise<StreamVerification | null>;

/** Each verification reads whole streams and checks every signature: a few at once leave the cores to the commands. */
export const boundedVerifications = (verifyStream: VerifyStream): VerifyIfFree => {
  let running = 0;
  return async (stream) => {
    if (running >= limits.concurrentVerifications) return null;
    running++;
    try {
      return await verifyStream(stream);
    } finally {
      running--;
    }
  };
};
