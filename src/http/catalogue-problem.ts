import type { ArtRefusal } from '../command/ledger-commands.ts';
import type { CodeRefusal } from '../stream/code/decide.ts';
import type { CollectionRefusal } from '../stream/collection/decide.ts';
import { type ProblemKind, kind } from './problem-kind.ts';

/** What this layer itself refuses of art, or has to admit. */
export type ArtCode = 'art-hash-mismatch' | 'art-type-mismatch' | 'art-corrupt';

type CatalogueCode = CollectionRefusal['code'] | CodeRefusal['code'] | ArtRefusal['code'] | ArtCode;

/** The codes of what issuers make: collections, their art, drops and codes. */
export const catalogueProblems: { readonly [C in CatalogueCode]: ProblemKind } = {
  'collection-missing': kind(404, 'No such collection', 'Publish it first, with POST /v1/collections.'),
  'series-missing': kind(404, 'No such series', 'The collection has no series with this id.'),
  'drop-missing': kind(404, 'No such drop', 'The collection has no drop with this id.'),
  'code-missing': kind(404, 'No such code', 'Look at it again: codes are 12 digits and letters, and none of them is a U.'),
  'version-published': kind(409, 'The version is published', 'A version never changes: publish the next one.'),
  'version-skipped': kind(409, 'A version is missing', 'Versions count one by one; detail names the next one.'),
  'series-retired': kind(409, 'The series is retired', 'It is in no draw any more.'),
  'drop-exists': kind(409, 'The drop exists', 'Another request with the same Idempotency-Key opened it.'),
  'drop-closed': kind(409, 'The drop is closed', 'No packs and codes are made of a closed drop, and it does not open again.'),
  'too-many-drops': kind(409, 'Too many drops', 'The collection has had all the drops it may have.'),
  'pool-too-small': kind(
    409,
    'Too few cards to draw from',
    'A pack cannot be larger than the pool of series that are not retired.',
  ),
  'code-exists': kind(409, 'The code exists', 'A failure within a batch: order another one.'),
  'code-claimed': kind(409, 'The code is used', 'A code is worth one pack, and another pixbook was first.'),
  'code-revoked': kind(410, 'The code is revoked', 'Its issuer has withdrawn it.'),
  'catalogue-invalid': kind(422, 'The catalogue does not hold together', 'detail names the card or the series that is at fault.'),
  'art-missing': kind(422, 'Art is missing', 'Send the art of every card first, with PUT /v1/art/{artHash}.'),
  'art-hash-mismatch': kind(422, 'The art has another hash', 'The path names SHA-256 of the very bytes of the body.'),
  'art-type-mismatch': kind(422, 'The art is not of this type', 'The body does not begin as its Content-Type does.'),
  'code-of-other-collection': kind(422, 'The code is of another collection', 'Claim it for a pixbook of its own collection.'),
  'art-corrupt': kind(500, 'The art is damaged', 'What the store has is not what was sent. An operator must look.'),
};
