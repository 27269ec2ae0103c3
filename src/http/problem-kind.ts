/** What a code means over HTTP. `advice` tells people what to do. `retryAfterSeconds` is there when trying again can help. */
export type ProblemKind = {
  readonly status: number;
  readonly title: string;
  readonly advice: string;
  readonly retryAfterSeconds?: number;
};

export const kind = (status: number, title: string, advice: string): ProblemKind => ({ status, title, advice });

export const later = (status: number, title: string, advice: string, retryAfterSeconds: number): ProblemKind => ({
  ...kind(status, title, advice),
  retryAfterSeconds,
});
