import { setTimeout as sleep } from 'node:timers/promises';
import type { Acknowledged, CommandContext, CommandOutcome, CommandRefusal } from '../../src/command/ledger-commands.ts';
import { Outage } from '../../src/port/outage.ts';
import { type UserId, derivedUlid, parseIdempotencyKey, parseUserId } from '../../src/receipt/ids.ts';
import type { Result } from '../../src/result.ts';
import type { Chance } from './chance.ts';

const ATTEMPTS = 6;
const PAUSE_MS = 500;

/** What a well-behaved client repeats with the same key. */
const PASSING: ReadonlySet<CommandRefusal['code']> = new Set(['outcome-unknown', 'contended', 'queue-full'] as const);

/** The user of this name in the ledger of this seed. */
export const userNamed = (seed: string, name: string): UserId =>
  valid(parseUserId(`usr_${derivedUlid('pixpax/generate/user/v1', seed, name)}`));

/** Asks under a key that was never used before. */
export const asks = (chance: Chance, userId: UserId): CommandContext => ({
  userId,
  idempotencyKey: valid(parseIdempotencyKey(chance.uuid())),
  ifMatch: null,
});

/** Throws TypeError for a name that is none: it was made here. */
export const valid = <T>(parsed: Result<T, unknown>): T => {
  if (!parsed.ok) throw new TypeError(`a made-up name is malformed: ${JSON.stringify(parsed.error)}`);
  return parsed.value;
};

/** The answer of a command that must succeed, repeated under its key while a store or bucket is not to be reached. Throws `Outage`, and Error for a refusal. */
export const insist = async (command: () => Promise<CommandOutcome>): Promise<Acknowledged> => {
  for (let attempt = 1; ; attempt++) {
    const outcome = await command().catch((error: unknown) => {
      if (!(error instanceof Outage) || attempt === ATTEMPTS) throw error;
      return null;
    });
    if (outcome?.ok) return outcome.value;
    if (outcome !== null && (!PASSING.has(outcome.error.code) || attempt === ATTEMPTS)) throw new Refused(outcome.error);
    await sleep(PAUSE_MS * attempt);
  }
};

/** The ledger refused what a story was sure of: a bug of the story, or of the ledger. */
export class Refused extends Error {
  readonly code: CommandRefusal['code'];
  constructor({ code, detail }: CommandRefusal) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}
