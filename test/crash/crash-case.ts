import type { Finding } from '../../projector/audit.ts';
import { type FaultKind, faultPlan } from '../../src/adapter/memory/faults.ts';
import type { CommandOutcome } from '../../src/command/ledger-commands.ts';
import { type CollectorWorld, makeWorld } from './collector-world.ts';
import { type Subject, rivalKey, subjectKey } from './subjects.ts';
import { type Weakening, sound } from './world.ts';

/** Who else is at work on the stream. The rival's whole command runs just before the call that fails. */
export const rivals = [
  'no rival',
  'a rival with the same key',
  'a rival with another key',
  'a rival on a second Postgres',
] as const;
export type Rival = (typeof rivals)[number];

export type CrashCase = {
  readonly subject: Subject;
  readonly call: number;
  readonly kind: FaultKind | null;
  readonly rival: Rival;
};

/** The calls one command makes in a process that has just started, in order. */
export const callsOf = async (subject: Subject): Promise<readonly { readonly port: string; readonly method: string }[]> => {
  const world = await makeWorld();
  const { commands, plan } = world.start();
  const outcome = await subject.post(commands, world, subjectKey);
  if (!outcome.ok) throw new Error(outcome.error.detail);
  return plan.calls;
};

export type CrashReport = {
  readonly findings: readonly Finding[];
  /** What the client heard at first; null when it heard nothing. */
  readonly first: CommandOutcome | 'outage' | null;
  readonly retried: CommandOutcome | 'outage';
  readonly struck: boolean;
};

/**
 * One row of the crash table (receipt.md §7): the fault, the rival, then a restart, a retry with the same key, requests that were under way
 * landing late, and the audit.
 */
export const runCrashCase = async (
  { subject, call, kind, rival }: CrashCase,
  weakening: Weakening = sound,
): Promise<CrashReport> => {
  const world = await makeWorld(weakening);
  const plan = kind === null ? faultPlan() : faultPlan({ nth: call, kind });
  const process = world.start({ plan, before: async (index) => (index === call ? challenge(world, subject, rival) : undefined) });
  const posted = hear(world.tell(subjectKey, subject.post(process.commands, world, subjectKey)));
  const death = plan.firstStrike.then((fault) => (fault.kind.startsWith('death') ? null : posted));
  const first = await Promise.race([posted, death]);

  await plan.land();
  const restarted = world.start();
  const retried = await hear(world.tell(subjectKey, subject.post(restarted.commands, world, subjectKey)));
  if (rival === 'a rival on a second Postgres') {
    const again = world.start({ readModel: world.secondary });
    await hear(world.tell(subjectKey, subject.post(again.commands, world, subjectKey)));
  }
  if (rival === 'a rival on a second Postgres' || rival === 'a rival with another key')
    await hear(world.tell(rivalKey, subject.rival(world.start().commands, world, rivalKey)));
  const findings = await world.audit([world.primary]);
  return { findings, first, retried, struck: plan.struck.length > 0 };
};

const challenge = async (world: CollectorWorld, subject: Subject, rival: Rival): Promise<void> => {
  if (rival === 'no rival') return;
  const readModel = rival === 'a rival on a second Postgres' ? world.secondary : world.primary;
  const { commands } = world.start({ readModel });
  if (rival === 'a rival with the same key') await world.tell(subjectKey, subject.post(commands, world, subjectKey));
  else await world.tell(rivalKey, subject.rival(commands, world, rivalKey));
};

const hear = async (answer: Promise<CommandOutcome>): Promise<CommandOutcome | 'outage'> => {
  try {
    return await answer;
  } catch {
    return 'outage';
  }
};
