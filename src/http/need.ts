import type { Session } from '../port/authentication.ts';
import type { AccountId } from '../receipt/ids.ts';
import type { Result } from '../result.ts';
import type { Ask } from './operation.ts';
import type { Problem } from './problem.ts';
import type { ProblemCode } from './problem-code.ts';
import type { Service } from './service.ts';

/** What a need says of itself: for the API description, and for the shell. */
export type DescribedNeed = {
  readonly name: string;
  readonly says: string;
  readonly signedIn: boolean;
  readonly isCommand: boolean;
  /** Every use by whoever is signed in is kept in the audit trail, the refused ones too. */
  readonly isAudited?: boolean;
  readonly problems: readonly ProblemCode[];
};

/** A need of whoever has a session. `grant` establishes it, or says why not. */
export type SignedInNeed<Granted, Query> = DescribedNeed & {
  readonly signedIn: true;
  readonly grant: (service: Service, session: Session, ask: Ask<Query, unknown>) => Promise<Result<Granted, Problem>>;
  /** What is granted to whoever shows something else than a session, which is then not looked for. Null: they do not. */
  readonly pass?: (service: Service, headers: Headers) => Granted | null;
  /** The accounts that what was granted is about: one of the user's among them pays for the request (`Draw`). Without it, none does. */
  readonly accountsOf?: (granted: Granted) => readonly AccountId[];
};

/** What a route asks of whoever calls it. What it grants is all that a handler knows of the caller. */
export type Need<Granted, Query> =
  | SignedInNeed<Granted, Query>
  | (DescribedNeed & { readonly signedIn: false; readonly grant: () => Granted });

/** Anyone, signed in or not. */
export const anyone: Need<null, unknown> = {
  name: 'anyone',
  says: 'Nothing: public.',
  signedIn: false,
  isCommand: false,
  problems: [],
  grant: () => null,
};
