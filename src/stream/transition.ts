/** Which status follows from which, by what happens: a state machine as a table. */
export type TransitionTable<Status extends string, Happening extends string> = {
  readonly [S in Status]: { readonly [H in Happening]?: Status };
};

/** The status that follows, or null when this cannot happen now. */
export const transitionsOf =
  <Status extends string, Happening extends string>(table: TransitionTable<Status, Happening>) =>
  (from: Status, happening: Happening): Status | null =>
    table[from][happening] ?? null;
