import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AccountId,
  type CollectionId,
  type DropId,
  type EventId,
  type IdentityId,
  type Instant,
  type ReceiptHash,
  bookIdFor,
} from '../../receipt/ids.ts';
import type { Place } from '../here.ts';
import type { CodeCommand } from './command.ts';
import { decideCode } from './decide.ts';
import type { CodeEvent } from './event.ts';
import { evolveCode } from './evolve.ts';
import { type CodeState, noCode } from './state.ts';

const animals = 'col_01JZ0000000000000000000000' as CollectionId;
const planets = 'col_01JZ0000000000000000000001' as CollectionId;
const dropId = 'drp_01JZ0000000000000000000000' as DropId;
const accountId = 'acc_01JZ0000000000000000000000' as AccountId;
const mia = 'idn_01JZ0000000000000000000000' as IdentityId;
const tom = 'idn_01JZ0000000000000000000001' as IdentityId;

/** Each event's id is `e` and its position, its hash `h` and its position. */
const placeAt = (position: number): Place => ({
  eventId: `e${position}` as EventId,
  hash: `h${position}` as ReceiptHash,
  at: '2026-01-01T00:00:00.000Z' as Instant,
});

const given = (...commands: readonly CodeCommand[]) => ({
  when: (command: CodeCommand) => {
    const decided = decideCode(after(...commands), command);
    return decided.ok ? decided.value : decided.error.code;
  },
});
const after = (...commands: readonly CodeCommand[]): CodeState =>
  commands.reduce<CodeState>((before, command, position) => {
    const event = decideCode(before, command);
    if (!event.ok) throw new Error(`${command.type}: ${event.error.code}`);
    const next = evolveCode(before, event.value, placeAt(position));
    if (!next.ok) throw new Error(next.error.detail);
    return next.value;
  }, noCode);

const makes: CodeCommand = { type: 'create-code', collectionId: animals, dropId, batchId: null };
const claims = (
  identityId: IdentityId,
  collectionId = animals,
  generation = 1,
): Extract<CodeCommand, { type: 'claim-code' }> => ({
  type: 'claim-code',
  accountId,
  identityId,
  bookId: bookIdFor(identityId, collectionId, generation),
  generation,
  collectionId,
});
const revokes: CodeCommand = { type: 'revoke-code' };

describe('a code (domain rule 5)', () => {
  it('is created once', () => {
    const batchId = 'bat_01JZ0000000000000000000000';
    expect(given().when({ ...makes, batchId })).toEqual({
      type: 'CODE_CREATED',
      payload: { collectionId: animals, dropId, batchId },
    });
    for (const past of [[makes], [makes, claims(mia)], [makes, revokes]]) expect(given(...past).when(makes)).toBe('code-exists');
  });

  it.each([claims(mia), revokes])('refuses $type before it exists', (command) => {
    expect(given().when(command)).toBe('code-missing');
  });

  it('is claimed for a book, and the claim is kept with the receipt it rests on', () => {
    expect(given(makes).when(claims(mia))).toEqual({
      type: 'CODE_CLAIMED',
      payload: { accountId, identityId: mia, bookId: bookIdFor(mia, animals, 1), generation: 1 },
    });
    expect(after(makes, claims(mia, animals, 2))).toEqual({
      status: 'claimed',
      collectionId: animals,
      dropId,
      claim: {
        accountId,
        identityId: mia,
        bookId: bookIdFor(mia, animals, 2),
        generation: 2,
        eventId: 'e1',
        hash: 'h1',
        at: '2026-01-01T00:00:00.000Z',
      },
    });
  });

  it.each([claims(tom), claims(mia), claims(tom, planets), revokes])('once claimed holds against a later $type', (command) => {
    expect(given(makes, claims(mia)).when(command)).toBe('code-claimed');
  });

  it('does not say by whom it is claimed', () => {
    expect(JSON.stringify(decideCode(after(makes, claims(mia)), claims(tom)))).not.toMatch(/(?:acc|idn|bk)_/);
  });

  it.each([claims(mia), claims(mia, planets), revokes])('once revoked refuses $type', (command) => {
    expect(given(makes, revokes).when(command)).toBe('code-revoked');
  });

  it('is for a book of its own collection', () => {
    expect(given(makes).when(claims(mia, planets))).toBe('code-of-other-collection');
  });

  it('is revoked while nobody has claimed it', () => {
    expect(given(makes).when(revokes)).toEqual({ type: 'CODE_REVOKED', payload: {} });
    expect(after(makes, revokes)).toEqual({ status: 'revoked', collectionId: animals, dropId, claim: null });
  });
});

describe('replaying a code', () => {
  const created: CodeEvent = { type: 'CODE_CREATED', payload: { collectionId: animals, dropId, batchId: null } };
  const claimed = (bookId = bookIdFor(mia, animals, 1), generation = 1): CodeEvent => ({
    type: 'CODE_CLAIMED',
    payload: { accountId, identityId: mia, bookId, generation },
  });
  const revoked: CodeEvent = { type: 'CODE_REVOKED', payload: {} };
  const replay = (...events: readonly CodeEvent[]) =>
    events.reduce<ReturnType<typeof evolveCode>>(
      (before, event, position) => (before.ok ? evolveCode(before.value, event, placeAt(position)) : before),
      { ok: true, value: noCode },
    );

  it.each([
    ['created', [created]],
    ['created and claimed', [created, claimed()]],
    ['created and revoked', [created, revoked]],
  ])('takes one that was %s', (_what, events) => {
    expect(replay(...events)).toMatchObject({ ok: true });
  });

  it.each([
    ['a claim before the code', [claimed()]],
    ['a revocation before the code', [revoked]],
    ['a second creation', [created, created]],
    ['a second claim', [created, claimed(), claimed()]],
    ['a claim after the revocation', [created, revoked, claimed()]],
    ['a revocation after the claim', [created, claimed(), revoked]],
    ['a second revocation', [created, revoked, revoked]],
    ['a creation after the revocation', [created, revoked, created]],
    ['a claim for another identity’s book', [created, claimed(bookIdFor(tom, animals, 1))]],
    ['a claim for a book of another collection', [created, claimed(bookIdFor(mia, planets, 1))]],
    ['a claim with another generation than the book’s', [created, claimed(bookIdFor(mia, animals, 1), 2)]],
  ])('finds %s', (_what, events) => {
    expect(replay(...events.slice(0, -1))).toMatchObject({ ok: true });
    expect(replay(...events)).toMatchObject({ ok: false, error: { code: 'illegal-event' } });
  });

  it('accepts exactly what decide produces, and the first claim holds', () => {
    const command = fc.constantFrom(makes, revokes, ...[mia, tom].flatMap((who) => [claims(who), claims(who, planets)]));
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        let before = noCode;
        let claimant: IdentityId | null = null;
        for (const [position, each] of commands.entries()) {
          const decided = decideCode(before, each);
          if (!decided.ok) continue;
          const next = evolveCode(before, decided.value, placeAt(position));
          if (!next.ok) throw new Error(next.error.detail);
          before = next.value;
          if (each.type === 'claim-code') claimant ??= each.identityId;
        }
        expect(before.status === 'claimed' ? before.claim.identityId : null).toBe(claimant);
      }),
    );
  });
});
