/**
 * Why a command is refused by the rules of its stream. The codes are stable and documented; what HTTP makes of them is one table in
 * `http/problem.ts`. `detail` says what is wrong and what to do, in one sentence, without secrets.
 */
export type Refusal<Code extends string> = { readonly code: Code; readonly detail: string };

/** An event that cannot follow its state: never written by us, so finding one means the ledger was forged or is broken. */
export type IllegalEvent = { readonly code: 'illegal-event'; readonly detail: string };
