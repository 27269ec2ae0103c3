import { limits } from '../../limits.ts';
import { canonicalBytes } from '../../receipt/canonical.ts';
import { type Result, err, ok } from '../../result.ts';
import type { Refusal } from '../refusal.ts';
import type { PixbookCommand } from './command.ts';
import type { PixbookEvent } from './event.ts';
import type { PixbookState } from './evolve.ts';

export type PixbookRefusal = Refusal<
  'pixbook-exists' | 'pixbook-missing' | 'pixbook-closed' | 'stale-base' | 'state-too-large' | 'too-many-pixbooks'
>;

/** The event a command leads to, or why not. Pure. */
export const decidePixbook = (state: PixbookState, command: PixbookCommand): Result<PixbookEvent, PixbookRefusal> => {
  if (command.type === 'create-pixbook') {
    const { identityId, collectionId, generation } = command;
    if (state.status !== 'absent') return refuse('pixbook-exists', 'the identity has an open pixbook of this collection');
    if (generation > limits.pixbookGenerations)
      return refuse('too-many-pixbooks', `an identity has at most ${limits.pixbookGenerations} pixbooks of one collection`);
    return ok({ type: 'PIXBOOK_CREATED', payload: { identityId, collectionId, generation } });
  }
  if (state.status === 'absent') return refuse('pixbook-missing', 'there is no such pixbook');
  if (state.status === 'closed') return refuse('pixbook-closed', 'the pixbook is closed; its history stays readable');
  switch (command.type) {
    case 'save': {
      if (command.baseEventId !== state.head)
        return refuse('stale-base', 'the pixbook has moved on since baseEventId; read it, merge and save again');
      if (canonicalBytes(command.state).length > limits.savedStateBytes)
        return refuse('state-too-large', `the canonical state is over ${limits.savedStateBytes} bytes`);
      return ok({ type: 'PIXBOOK_SAVE', payload: { state: command.state, baseEventId: command.baseEventId } });
    }
    case 'close':
      return ok({ type: 'PIXBOOK_CLOSED', payload: {} });
  }
};

const refuse = (code: PixbookRefusal['code'], detail: string): Result<never, PixbookRefusal> => err({ code, detail });
