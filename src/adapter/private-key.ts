import { type KeyObject, createPrivateKey } from 'node:crypto';

/** The private key in a PEM file; null when it is none: the reason is not passed on, since it may quote the file, and the file is a secret. */
export const privateKeyIn = (pem: Buffer): KeyObject | null => {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
};
