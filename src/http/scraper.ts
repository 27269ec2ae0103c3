import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether a request shows the token that scrapers were given: `Authorization: Bearer …`. Null: nobody was given one. Hashes are compared, for they
 * are of one length, and in a time that says nothing of where they differ.
 */
export const isScraper = (token: string | null, headers: Headers): boolean => {
  const shown = /^Bearer ([\x21-\x7e]{1,1024})$/i.exec(headers.get('authorization') ?? '')?.[1];
  return token !== null && shown !== undefined && timingSafeEqual(digestOf(shown), digestOf(token));
};

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
