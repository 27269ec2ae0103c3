import type { KeyName } from '../port/signer.ts';
import { refused } from './signer-outage.ts';

/** `pixpax-` and 1 to 120 of `A-Z a-z 0-9 _ -`: such a name needs no escaping, neither in a path nor in a URL. */
const KEY_NAME = /^pixpax-[A-Za-z0-9_-]{1,120}$/;

/** Throws `Outage` (`signer-refused`) unless `name` is a key name: the last line of defence before it becomes part of a path. */
export const requireKeyName = (name: KeyName): void => {
  if (KEY_NAME.test(name)) return;
  throw refused(`${JSON.stringify(name.slice(0, 80))} is not a key name: pixpax- and 1 to 120 of A-Z a-z 0-9 _ - expected`);
};
