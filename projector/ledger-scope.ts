import type { AccountId } from '../src/receipt/ids.ts';
import { LEDGER_ROOT, prefixOf } from '../src/receipt/key-path.ts';
import { accountStream } from '../src/receipt/stream.ts';

/** The streams that a run is about, where it is not about all. */
export type LedgerScope = {
  /** What a replay is told to read below: it reads the streams of accounts that these rest on too. */
  readonly below: string;
  /** Prefixes of streams, or folders above some, without the last slash: these and what is below them is in scope. */
  readonly places: readonly string[];
};

/** The streams at or below a prefix. */
export const scopeBelow = (prefix: string): LedgerScope => ({ below: prefix, places: [prefix] });

/** An account's stream and those of its pixbooks, for which a replay reads the account's too. */
export const scopeOfAccount = (accountId: AccountId): LedgerScope => {
  const books = `${LEDGER_ROOT}pixbooks/${accountId}`;
  return { below: books, places: [prefixOf(accountStream(accountId)), books] };
};

/** `scope` null is the whole ledger. */
export const isInScope = (scope: LedgerScope | null, stream: string): boolean =>
  scope === null || scope.places.some((place) => stream === place || stream.startsWith(`${place}/`));

/** The same in SQL, of an expression that gives a stream's prefix; `$n` is bound to `places`. */
export const isInScopeSql = (stream: string, n: number): string =>
  `EXISTS (SELECT FROM unnest($${n}::text[]) AS place WHERE ${stream} = place OR starts_with(${stream}, place || '/'))`;
