import type { AccountId, CodeId, CollectionId } from '../src/receipt/ids.ts';
import { type Stream, type StreamOf, accountStream, codeStream, collectionStream } from '../src/receipt/stream.ts';
import type { AccountState } from '../src/stream/account/evolve.ts';
import type { CodeState } from '../src/stream/code/state.ts';
import type { CollectionState } from '../src/stream/collection/state.ts';
import type { StreamState } from '../src/stream/fold.ts';
import type { LivePixbook, PixbookState } from '../src/stream/pixbook/state.ts';

/** Whatever tells the whole states of streams. */
export type States = { readonly stateOf: (stream: Stream) => StreamState };

/** The whole state of a stream, of its type. */
export const accountIn = ({ stateOf }: States, id: AccountId): AccountState => {
  const state = stateOf(accountStream(id));
  if (state.type !== 'account') throw new TypeError('not an account');
  return state.state;
};

export const pixbookIn = ({ stateOf }: States, stream: StreamOf<'pixbook'>): PixbookState => {
  const state = stateOf(stream);
  if (state.type !== 'pixbook') throw new TypeError('not a pixbook');
  return state.state;
};

/** Throws RangeError when there is no such book. */
export const liveBookIn = (ledger: States, stream: StreamOf<'pixbook'>): LivePixbook => {
  const state = pixbookIn(ledger, stream);
  if (state.status === 'absent') throw new RangeError('there is no such book');
  return state;
};

export const collectionIn = ({ stateOf }: States, id: CollectionId): CollectionState => {
  const state = stateOf(collectionStream(id));
  if (state.type !== 'collection') throw new TypeError('not a collection');
  return state.state;
};

export const codeIn = ({ stateOf }: States, id: CodeId): CodeState => {
  const state = stateOf(codeStream(id));
  if (state.type !== 'code') throw new TypeError('not a code');
  return state.state;
};
