import { z } from 'zod';
import { parseAccountId, parseBookId, parseCollectionId, parseDropId, parseIdentityId } from '../../receipt/ids.ts';
import { branded } from '../branded.ts';

/** Payloads of the code stream. The secret itself is never in a receipt: the stream's `codeId` is a keyed hash of it. */
export const codePayloads = {
  /** A code is worth one pack of a drop. `batchId` names the job it was made by, or null. */
  CODE_CREATED: z.strictObject({
    collectionId: branded(parseCollectionId),
    dropId: branded(parseDropId),
    batchId: z
      .string()
      .regex(/^bat_[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
      .nullable(),
  }),
  /** The book it was claimed for; signed by that book's identity, from which the book's id follows (domain rule 9). */
  CODE_CLAIMED: z.strictObject({
    accountId: branded(parseAccountId),
    identityId: branded(parseIdentityId),
    bookId: branded(parseBookId),
    generation: z.int().min(1),
  }),
  CODE_REVOKED: z.strictObject({}),
} as const;

export type CodeEventType = keyof typeof codePayloads;
export type CodePayload<T extends CodeEventType> = z.infer<(typeof codePayloads)[T]>;

/** An event of a code stream. */
export type CodeEvent = {
  [T in CodeEventType]: { readonly type: T; readonly payload: CodePayload<T> };
}[CodeEventType];

/** Members of a payload that the server decides; what is left is what the client asked for and makes the fingerprint. */
export const codeDecidedMembers: { readonly [T in CodeEventType]: readonly string[] } = {
  CODE_CREATED: [],
  CODE_CLAIMED: ['identityId', 'generation'],
  CODE_REVOKED: [],
};
