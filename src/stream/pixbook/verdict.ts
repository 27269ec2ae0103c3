import { type Result, err } from '../../result.ts';
import type { IllegalEvent, Refusal } from '../refusal.ts';
import type { PixbookEvent } from './event.ts';

/** A command that is refused, with its stable code and one sentence. */
export const refuse = <Code extends string>(code: Code, detail: string): Result<never, Refusal<Code>> => err({ code, detail });

/** An event that cannot follow its state. */
export const illegal = (event: PixbookEvent, why: string): Result<never, IllegalEvent> =>
  err({ code: 'illegal-event', detail: `${event.type}: ${why}` });
