import { type BookId, bookIdFor } from '../../receipt/ids.ts';
import type { LivePixbook } from './state.ts';

/** The id of the pixbook whose state this is: it follows from what the state holds (domain rule 9). */
export const bookIdOf = ({ identityId, collectionId, generation }: LivePixbook): BookId =>
  bookIdFor(identityId, collectionId, generation);
