import { z } from 'zod';
import type { AccountId } from '../receipt/ids.ts';
import type { Answer } from './answer.ts';
import type { Problem } from './problem.ts';
import type { ProblemCode } from './problem-code.ts';
import type { Service } from './service.ts';

/** A request, parsed. */
export type Ask<Query, Body> = {
  /** A member of the path by name, decoded. */
  readonly param: (name: string) => string;
  readonly query: Query;
  readonly body: Body;
  readonly headers: Headers;
  /** The best of the operation's media types for the client. */
  readonly mediaType: string;
  readonly request: Request;
  /** The client's IP address, as far as it can be known. */
  readonly clientAddress: string | null;
};

/** Header fields that answers carry beyond the common ones; described once in the API description. */
export type AnswerField = 'ETag' | 'Location' | 'Idempotency-Replayed' | 'Cache-Control' | 'Vary';

/** A way in which an operation succeeds. `content` is by media type; a schema that is not JSON's is `z.string()`. */
export type Success = {
  readonly status: 200 | 201 | 202 | 204 | 304;
  readonly description: string;
  readonly content?: { readonly [mediaType: string]: z.ZodType };
  readonly fields?: readonly AnswerField[];
};

export type Tag =
  | 'Accounts'
  | 'Identities'
  | 'Pixbooks'
  | 'Packs'
  | 'Cards'
  | 'Trades'
  | 'Codes'
  | 'Collections'
  | 'Batches'
  | 'Billing'
  | 'Admin'
  | 'Receipts'
  | 'Trust'
  | 'Operations'
  | 'Pages'
  | 'Sign-in';

/** What the API description says of an operation, and the shell needs of it. */
export type Described = {
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly successes: readonly Success[];
  /** Codes beyond those that follow from the need and the input. */
  readonly problems: readonly ProblemCode[];
};

/** Query parameters: an object whose members may all be absent. */
export type QuerySchema<Query> = z.ZodType<Query>;
export const noQuery = z.strictObject({});

/** A body that is not JSON: taken as it is, when it is declared as one of these. */
export type BytesRule = { readonly mediaTypes: readonly string[]; readonly maxBytes: number };
/** Such a body, and what it was declared as. */
export type BytesBody = { readonly mediaType: string; readonly bytes: Uint8Array };

/**
 * What is read as the body. `none`: nothing is. `optional`: a request without a body stands for `{}`. With `bytes` it is no JSON, and what the
 * schema is of is a `BytesBody`.
 */
export type BodyRule<Body> = {
  readonly presence: 'none' | 'optional' | 'required';
  readonly schema: z.ZodType<Body>;
  readonly bytes?: BytesRule;
};
export const noBody: BodyRule<null> = { presence: 'none', schema: z.null() };
/** For commands that need nothing but their path: whatever is sent all the same is refused by name. */
export const emptyBody: BodyRule<object> = { presence: 'optional', schema: z.strictObject({}) };

/** One thing the service does: what it takes, what it answers, and how. `Granted` is what its need has established. */
export type Operation<Granted, Query, Body> = Described & {
  readonly query: QuerySchema<Query>;
  readonly body: BodyRule<Body>;
  readonly handle: (service: Service, granted: Granted, ask: Ask<Query, Body>) => Promise<Answer | Problem>;
  /** The account that the body is about, where the need cannot know it: as a need's `accountsOf`. */
  readonly accountOf?: (service: Service, body: Body) => Promise<AccountId | null>;
};

/** Checks an operation where it is written; annotate the handler's `granted` with what it wants to have been established. */
export const operation = <Granted, Query, Body>(described: Operation<Granted, Query, Body>): Operation<Granted, Query, Body> =>
  described;
