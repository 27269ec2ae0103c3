import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import type { CollectionId, EventId, IdentityId } from '../../receipt/ids.ts';
import type { PixbookCommand } from './command.ts';
import { decidePixbook } from './decide.ts';
import { type PixbookState, evolvePixbook, noPixbook } from './evolve.ts';

const identityId = 'idn_01JZ0000000000000000000000' as IdentityId;
const collectionId = 'col_01JZ0000000000000000000000' as CollectionId;
const created: PixbookCommand = { type: 'create-pixbook', identityId, collectionId, generation: 1 };
const saves = (base: string, state = {}): PixbookCommand => ({ type: 'save', state, baseEventId: base as EventId });
const closes: PixbookCommand = { type: 'close' };

/** Each event's id is `e` and its position. */
const after = (...commands: readonly PixbookCommand[]): PixbookState =>
  commands.reduce<PixbookState>((before, command, position) => {
    const event = decidePixbook(before, command);
    if (!event.ok) throw new Error(event.error.code);
    const next = evolvePixbook(before, event.value, `e${position}` as EventId);
    if (!next.ok) throw new Error(next.error.detail);
    return next.value;
  }, noPixbook);
const outcome = (before: PixbookState, command: PixbookCommand) => {
  const decided = decidePixbook(before, command);
  return decided.ok ? decided.value : decided.error.code;
};

describe('a pixbook', () => {
  it('is created once', () => {
    expect(outcome(noPixbook, created)).toEqual({
      type: 'PIXBOOK_CREATED',
      payload: { identityId, collectionId, generation: 1 },
    });
    expect(outcome(after(created), created)).toBe('pixbook-exists');
  });

  it('stores the state of a save as it is, with the head it was based on', () => {
    const state = { page: 3, placements: [{ slot: 1, note: 'ü' }] };
    expect(outcome(after(created), saves('e0', state))).toEqual({ type: 'PIXBOOK_SAVE', payload: { state, baseEventId: 'e0' } });
  });

  it('refuses a save on a stale base, whoever moved the book on', () => {
    expect(outcome(after(created, saves('e0')), saves('e0'))).toBe('stale-base');
    expect(outcome(after(created), saves('e9'))).toBe('stale-base');
    expect(outcome(after(created, saves('e0')), saves('e1'))).toMatchObject({ type: 'PIXBOOK_SAVE' });
  });

  it('refuses a state over 32 KiB, measured as canonical bytes', () => {
    const fits = { text: 'x'.repeat(limits.savedStateBytes - '{"text":""}'.length) };
    expect(outcome(after(created), saves('e0', fits))).toMatchObject({ type: 'PIXBOOK_SAVE' });
    expect(outcome(after(created), saves('e0', { text: `${fits.text}x` }))).toBe('state-too-large');
    expect(outcome(after(created), saves('e0', { text: 'ü'.repeat(limits.savedStateBytes / 2) }))).toBe('state-too-large');
  });

  it('refuses everything before it exists and after it is closed', () => {
    for (const command of [saves('e0'), closes]) {
      expect(outcome(noPixbook, command)).toBe('pixbook-missing');
      expect(outcome(after(created, closes), command)).toBe('pixbook-closed');
    }
  });

  it('has a limit of generations', () => {
    expect(outcome(noPixbook, { ...created, generation: limits.pixbookGenerations + 1 })).toBe('too-many-pixbooks');
  });
});

describe('replaying a pixbook', () => {
  const id = 'x' as EventId;
  it.each([
    ['a save before the book', noPixbook, { type: 'PIXBOOK_SAVE', payload: { state: {}, baseEventId: id } }],
    ['a save on another base', after(created), { type: 'PIXBOOK_SAVE', payload: { state: {}, baseEventId: id } }],
    ['a second book', after(created), { type: 'PIXBOOK_CREATED', payload: { identityId, collectionId, generation: 1 } }],
    ['a close after the close', after(created, closes), { type: 'PIXBOOK_CLOSED', payload: {} }],
  ] as const)('finds %s', (_what, before, event) => {
    expect(evolvePixbook(before, event, id)).toMatchObject({ ok: false, error: { code: 'illegal-event' } });
  });
});
