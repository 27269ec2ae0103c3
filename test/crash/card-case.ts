import type { Finding } from '../../projector/audit.ts';
import { type FaultKind, faultPlan } from '../../src/adapter/memory/faults.ts';
import { keyAt } from '../../src/receipt/key-path.ts';
import type { Receipt } from '../../src/receipt/receipt.ts';
import { ownershipIn } from '../domain/ownership.ts';
import type { Answer } from './answer.ts';
import { type CardRival, type CardSubject, SUBJECT_KEY } from './card-subjects.ts';
import { type CardWorld, EXPIRES_MS, makeCardWorld } from './card-world.ts';
import { endOffers, settleDown } from './settle-down.ts';
import type { Variant, World } from './world.ts';

export type CardCase = {
  readonly subject: CardSubject;
  readonly call: number;
  readonly kind: FaultKind | null;
  readonly rival: CardRival | null;
};

/** The calls a subject makes in a process that has just started, in order. */
export const callsOf = async (subject: CardSubject): Promise<readonly { readonly port: string; readonly method: string }[]> => {
  const world = await makeCardWorld(subject.stage);
  const process = world.start();
  const { code } = await subject.deed(process, world, SUBJECT_KEY);
  if (code !== 'ok' && code !== 'done') throw new Error(`${subject.name}: ${code}`);
  return process.plan.calls;
};

export type CardReport = {
  readonly findings: readonly Finding[];
  /** What the receipts say against conservation, or of things left half done. */
  readonly faults: readonly string[];
  /** What the client heard at first; null when it heard nothing. */
  readonly first: string | null;
  readonly retried: string;
  readonly struck: boolean;
};

/**
 * One row of the crash table: the fault, the rival, requests that were under way landing late; then a restart, the worker, and a retry with the
 * same key (in every other row the retry comes first), until nothing is left to do; then the end of every offer, and the audit.
 */
export const runCardCase = async ({ subject, call, kind, rival }: CardCase, variant: Variant = {}): Promise<CardReport> => {
  const world = await makeCardWorld(subject.stage, variant);
  const plan = kind === null ? faultPlan() : faultPlan({ nth: call, kind });
  const challenge = async (): Promise<unknown> => {
    if (rival === null) return;
    const process = world.start({ readModel: rival.elsewhere ? world.secondary : world.primary });
    return hear(world, rival.deed(process, world, rival.key));
  };
  const process = world.start({ plan, before: async (index) => void (index === call ? await challenge() : undefined) });
  const posted = hear(world, subject.deed(process, world, SUBJECT_KEY));
  const death = plan.firstStrike.then((fault) => (fault.kind.startsWith('death') ? null : posted));
  const first = await Promise.race([posted, death]);
  await plan.land();

  const faults: string[] = [];
  const left = (): void => void faults.push(...ownershipIn(world.objects).unfinished);
  if (call % 2 === 0) await settleDown(world).then(left);
  const retried = await hear(world, subject.deed(world.start(), world, SUBJECT_KEY));
  await settleDown(world).then(left);
  const promises = new Set([first, retried].flatMap(promiseOf));
  if (promises.size > 1) faults.push(`one key was answered with ${[...promises].join(' and ')}`);
  await endOffers(world, EXPIRES_MS).then(left);

  faults.push(...ownershipIn(world.objects).faults, ...alarmsOf(world));
  const findings = await world.audit([world.primary], EXPIRES_MS * 2);
  return { findings, faults, first: first?.code ?? null, retried: retried.code, struck: plan.struck.length > 0 };
};

/** Waits for an answer and notes for the audit what it promised, under the key that the receipt itself has. */
const hear = async (world: CardWorld, deed: Promise<Answer>): Promise<Answer> => {
  const answer = await deed;
  if (answer.receipt === null) return answer;
  const { stream, eventId, hash, position } = answer.receipt;
  const bytes = world.objects.get(keyAt(stream, position));
  if (bytes === undefined) throw new Error(`${eventId} was acknowledged and is not there`);
  const { idempotencyKey } = JSON.parse(Buffer.from(bytes).toString()) as Receipt;
  world.acknowledged.push({ stream, idempotencyKey, eventId, hash });
  return answer;
};

/** The receipt a client was promised. A claim may be answered first by itself, and then by its pack. */
const promiseOf = (answer: Answer | null): readonly string[] => {
  const receipt = answer?.receipt ?? null;
  return receipt === null || (receipt.stream.type === 'code' && receipt.projection === 'pending') ? [] : [receipt.eventId];
};

const alarmsOf = ({ alarms }: World): readonly string[] => alarms.map(({ code, detail }) => `alarm ${code}: ${detail}`);
