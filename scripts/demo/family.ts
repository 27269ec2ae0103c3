import { randomUUID } from 'node:crypto';
import { type Client, rowsOf, textOf } from './api.ts';

/** A family with one collector and one pixbook. */
export type Family = {
  readonly name: string;
  readonly api: Client;
  readonly accountId: string;
  readonly identityId: string;
  readonly bookId: string;
};

/** A copy that a book holds. */
export type Copy = { readonly instanceId: string; readonly cardId: string; readonly status: string };

/** Signs a family up: an account, a collector's identity with its own key, and a pixbook of the collection. */
export const newFamily = async (nobody: Client, name: string, collectionId: string): Promise<Family> => {
  const person = { name, email: `${name.toLowerCase()}-${randomUUID().slice(0, 8)}@pixpax.example`, password: randomUUID() };
  await nobody.do('/v1/auth/sign-up/email', person);
  const signedIn = await nobody.do('/v1/auth/sign-in/email', { email: person.email, password: person.password });
  const api = nobody.as(textOf(signedIn, 'token'));
  const user = (signedIn.user ?? {}) as Record<string, unknown>;
  const accountId = textOf(await api.do('/v1/accounts'), 'accountId');
  const identity = await api.do(`/v1/accounts/${accountId}/identities`, { controller: textOf(user, 'id') });
  const identityId = textOf(identity, 'identityId');
  const book = await api.do('/v1/pixbooks', { accountId, identityId, collectionId });
  return { name, api, accountId, identityId, bookId: textOf(book, 'bookId') };
};

/** What a family's book holds now. */
export const copiesOf = async ({ api, bookId }: Family): Promise<readonly Copy[]> =>
  rowsOf(await api.get(`/v1/pixbooks/${bookId}/cards?limit=100`)).map((row) => ({
    instanceId: textOf(row, 'instanceId'),
    cardId: textOf(row, 'cardId'),
    status: textOf(row, 'status'),
  }));
