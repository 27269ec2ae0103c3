import type { Session } from '../port/authentication.ts';
import { ok } from '../result.ts';
import type { SignedInNeed } from './need.ts';

/** A person who is signed in. API keys are kept out before this is asked: what needs a person has no scope (see `route.ts`). */
export const person: SignedInNeed<Session, unknown> = {
  name: 'person',
  says: 'A session of a person who is signed in; an API key does not do.',
  signedIn: true,
  isCommand: false,
  problems: [],
  grant: (_service, session) => Promise.resolve(ok(session)),
};
