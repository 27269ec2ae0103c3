/** Expected failures are values: every fallible pure function returns one of these, with a literal `code` in the error. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/** The success case. */
export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });

/** The failure case. */
export const err = <E>(error: E): { readonly ok: false; readonly error: E } => ({ ok: false, error });
