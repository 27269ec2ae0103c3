import { monotonicFactory } from 'ulid';
import type { AuditEntry } from '../port/audit-trail.ts';
import type { Session } from '../port/authentication.ts';
import { Outage } from '../port/outage.ts';
import { instantOf, parseAccountId } from '../receipt/ids.ts';
import type { Answer } from './answer.ts';
import { parseRunId } from './id-schema.ts';
import { type Problem, isProblem } from './problem.ts';
import { problemKinds } from './problem-code.ts';
import { requestFields } from './request-context.ts';
import type { Service } from './service.ts';

/** A use of an operator's operation: by whom, and what the path names. */
export type Use = {
  readonly session: Session;
  readonly operation: string;
  readonly param: (name: string) => string;
};

/** Entries of one process that are made in the same millisecond are in order all the same. */
const nextUlid = monotonicFactory();

/**
 * Does what an operator asked for, and keeps who asked. What cannot be written down is not done: the first entry is there before anything
 * happens, also for those who are refused. A crash between the two leaves that one alone, which then says that the outcome is not known; so does
 * a database that goes away. The log has the outcome in any case. Throws as `act`, and `Outage`.
 */
export const audited = async (service: Service, use: Use, act: () => Promise<Answer | Problem>): Promise<Answer | Problem> => {
  const asked = entryOf(service, use);
  await service.auditTrail.add(asked);
  try {
    const outcome = await act();
    await close(service, asked, seenOf(outcome));
    return outcome;
  } catch (fault) {
    const code = fault instanceof Outage ? fault.code : 'internal-error';
    await close(service, asked, { status: problemKinds[code].status, outcome: code, target: null });
    throw fault;
  }
};

const entryOf = ({ clock }: Service, { session, operation, param }: Use): AuditEntry => {
  const now = clock.now();
  const { userId, via, sessionId } = session;
  return {
    ...{ entryId: `aud_${nextUlid(now)}`, askedId: null, at: instantOf(now) },
    ...{ userId, via, sessionId, operation, target: targetOf(param), status: null, outcome: 'asked' },
    requestId: requestFields().requestId ?? '',
  };
};

/** The id that the path names. What is no id is not kept: it may be anything, and a secret. */
const targetOf = (param: Use['param']): string | null => {
  const accountId = parseAccountId(param('accountId'));
  if (accountId.ok) return accountId.value;
  const runId = parseRunId(param('runId'));
  return runId.ok ? runId.value : null;
};

type Seen = Pick<AuditEntry, 'status' | 'outcome' | 'target'>;

/** `target` is what came to be. */
const seenOf = (outcome: Answer | Problem): Seen => {
  if (isProblem(outcome)) return { status: problemKinds[outcome.code].status, outcome: outcome.code, target: null };
  const made = parseRunId(outcome.headers.Location?.split('/').at(-1));
  return { status: outcome.status, outcome: 'answered', target: made.ok ? made.value : null };
};

const close = async (
  { auditTrail, clock, log }: Service,
  asked: AuditEntry,
  { status, outcome, target }: Seen,
): Promise<void> => {
  const now = clock.now();
  const entry: AuditEntry = {
    ...asked,
    ...{ entryId: `aud_${nextUlid(now)}`, askedId: asked.entryId, at: instantOf(now) },
    ...{ status, outcome, target: asked.target ?? target },
  };
  log.info({ audit: true, ...entry }, 'an operator’s operation was used');
  // It is done, whatever becomes of this.
  await auditTrail.add(entry).catch((error: unknown) => {
    const reason = error instanceof Outage ? error.code : 'internal-error';
    log.error({ audit: true, askedId: asked.entryId, reason }, 'an outcome is missing in the audit trail');
  });
};
