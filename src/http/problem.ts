import type { Outage } from '../port/outage.ts';
import type { Refusal } from '../stream/refusal.ts';
import type { Answer } from './answer.ts';
import { type ProblemCode, type RefusalCode, problemKinds, spokenCode } from './problem-code.ts';
import type { RequestContext } from './request-context.ts';

/** One thing that is wrong with the input. `pointer` (RFC 6901) is into the part of the request that `in` names. */
export type InputFault = {
  readonly in: 'body' | 'query' | 'header';
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
};

/** Why a request is not answered as asked. */
export type Problem = {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly InputFault[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Members of the body beyond those of every problem. */
  readonly more?: Readonly<Record<string, unknown>>;
};

export const isProblem = (outcome: Answer | Problem): outcome is Problem => 'code' in outcome;

/** One sentence, always the same: a foreign id and a missing one get the same bytes. */
export const notFound: Problem = { code: 'not-found', detail: 'there is no such resource' };

/** What the layer below refused. */
export const refused = ({ code, detail }: Refusal<RefusalCode>): Problem => {
  const spoken = spokenCode(code);
  return spoken === 'not-found' ? notFound : { code: spoken, detail };
};

/** Input that is not what a route takes. */
export const invalid = (...errors: readonly InputFault[]): Problem => ({
  code: 'invalid-request',
  detail: errors.length === 1 ? '1 thing is wrong with the request' : `${errors.length} things are wrong with the request`,
  errors,
});

/** A missing dependency, named. What it said is for the log alone: it may hold addresses and paths. */
export const outageProblem = ({ code, dependency }: Outage): Problem => ({
  code,
  detail: `the ledger cannot reach what it needs: ${dependency}`,
  more: { dependency },
});

/** What nobody foresaw. */
export const internalError: Problem = { code: 'internal-error', detail: 'the request could not be answered' };

/** Where people read about a code. Relative to the service, so the same everywhere; programs compare `code`. */
export const problemType = (code: ProblemCode): string => `/problems/${code}`;

/** The problem as RFC 9457 has it. `instance` is the path of the request, without its query. */
export const problemAnswer = (problem: Problem, instance: string, { requestId, traceId }: RequestContext): Answer => {
  const { status, title, retryAfterSeconds } = problemKinds[problem.code];
  const { code, detail, errors, more } = problem;
  const body = { type: problemType(code), title, status, detail, instance, code, requestId, traceId, errors, ...more };
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
      ...(code === 'unauthenticated' ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...problem.headers,
    },
    body: JSON.stringify(body),
  };
};
