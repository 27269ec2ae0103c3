import { join } from 'node:path';
import { compareKeys } from '../../port/key-order.ts';
import type { ListRequest } from '../../port/receipt-store.ts';
import type { DirectoryReader } from './directory-reader.ts';
import { TEMPORARY_DIRECTORY } from './temporary-files.ts';

/**
 * One page of keys below `root`, in S3's order. A directory sorts as `name/`, because that is how its keys go on: `a.json` comes
 * before `a/b.json` ('.' is 0x2E, '/' is 0x2F) though `a` comes before `a.json`. Only directories that can hold a key of the page
 * are read.
 */
export const keyPage = async (root: string, entriesOf: DirectoryReader, request: ListRequest): Promise<string[]> => {
  const page: string[] = [];
  const collect = async (base: string): Promise<void> => {
    for (const entry of await entriesOf(join(root, base))) {
      if (page.length >= request.limit) return;
      const key = base + entry;
      if (!entry.endsWith('/')) {
        if (key.startsWith(request.prefix) && isAfter(key, request)) page.push(key);
      } else if (key !== `${TEMPORARY_DIRECTORY}/` && directoryMatters(key, request)) await collect(key);
    }
  };
  const start = request.prefix.slice(0, request.prefix.lastIndexOf('/') + 1);
  if (isPlainPath(start)) await collect(start);
  return page;
};

/** All keys of a directory begin with its name, so they all lie on one side of `startAfter`, unless that begins with it too. */
const directoryMatters = (key: string, request: ListRequest): boolean =>
  (key.startsWith(request.prefix) || request.prefix.startsWith(key)) &&
  (isAfter(key, request) || request.startAfter?.startsWith(key) === true);

const isAfter = (key: string, { startAfter }: ListRequest): boolean =>
  startAfter === undefined || compareKeys(key, startAfter) > 0;

/** A prefix that no key can have leads nowhere, least of all out of the store. */
const isPlainPath = (path: string): boolean => {
  if (path.includes('\0') || path === `${TEMPORARY_DIRECTORY}/`) return false;
  const parts = path.split('/').slice(0, -1);
  return parts.every((part) => part !== '' && part !== '.' && part !== '..');
};
