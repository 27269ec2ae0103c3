import { type Result, err, ok } from '../../result.ts';
import type { Refusal } from '../refusal.ts';
import type { CodeCommand } from './command.ts';
import type { CodeEvent } from './event.ts';
import type { CodeState } from './state.ts';

export type CodeRefusal = Refusal<
  | 'code-missing'
  | 'code-exists'
  | 'code-claimed' // by whom is not said
  | 'code-revoked'
  | 'code-of-other-collection'
>;

type Decision = Result<CodeEvent, CodeRefusal>;
type CommandOf<T extends CodeCommand['type']> = Extract<CodeCommand, { readonly type: T }>;

/**
 * The event a command leads to, or why not. Pure. A claim that came first holds (domain rule 5): it is neither taken over nor revoked, and
 * no refusal tells whose it is, for a code is found by whoever tries.
 */
export const decideCode = (state: CodeState, command: CodeCommand): Decision => {
  if (command.type === 'create-code') return create(state, command);
  switch (state.status) {
    case 'absent':
      return refuse('code-missing', 'there is no such code');
    case 'revoked':
      return refuse('code-revoked', 'the code was revoked before anyone claimed it');
    case 'claimed':
      return refuse('code-claimed', 'the code is claimed already');
    case 'open':
      return command.type === 'claim-code' ? claim(state, command) : ok({ type: 'CODE_REVOKED', payload: {} });
  }
};

const create = (state: CodeState, { collectionId, dropId, batchId }: CommandOf<'create-code'>): Decision =>
  state.status === 'absent'
    ? ok({ type: 'CODE_CREATED', payload: { collectionId, dropId, batchId } })
    : refuse('code-exists', 'the code exists already');

const claim = (
  state: Extract<CodeState, { readonly status: 'open' | 'revoked' }>,
  { accountId, identityId, bookId, generation, collectionId }: CommandOf<'claim-code'>,
): Decision =>
  collectionId === state.collectionId
    ? ok({ type: 'CODE_CLAIMED', payload: { accountId, identityId, bookId, generation } })
    : refuse('code-of-other-collection', 'the code is for a book of another collection');

const refuse = (code: CodeRefusal['code'], detail: string): Result<never, CodeRefusal> => err({ code, detail });
