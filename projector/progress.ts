import { SingleBar } from 'cli-progress';
import { limits } from '../src/limits.ts';
import type { Progress } from './ledger-report.ts';

/** Shows people how far a replay has come: on a terminal all the time, in a log now and then. */
export type ProgressBar = { readonly show: (progress: Progress) => void; readonly stop: () => void };

export const progressBar = (verb: string, stream: NodeJS.WriteStream): ProgressBar => {
  const tell = openTeller(verb);
  if (!stream.isTTY) return logged(stream, tell);
  let bar: SingleBar | null = null;
  return {
    show: (progress) => {
      const said = { said: tell(progress) };
      if (bar === null) {
        bar = new SingleBar({ stream, format: '{said}', clearOnComplete: true, hideCursor: true, fps: 10 });
        bar.start(0, 0, said);
      } else bar.update(0, said);
    },
    stop: () => bar?.stop(),
  };
};

/** Nothing, for whoever reads answers by program. */
export const noProgress: ProgressBar = { show: () => undefined, stop: () => undefined };

const logged = (stream: NodeJS.WriteStream, tell: (progress: Progress) => string): ProgressBar => {
  let toldMs = performance.now();
  return {
    show: (progress) => {
      if (performance.now() - toldMs < limits.progressLineMs) return;
      toldMs = performance.now();
      stream.write(`${tell(progress)}\n`);
    },
    stop: () => undefined,
  };
};

/** How many receipts there are is known at the end only: a number that grows, with an outlook where there is one. */
const openTeller = (verb: string) => {
  const start = performance.now();
  /** What an earlier run had done says nothing of how fast this one is. */
  let before: number | null = null;
  return ({ receipts, streams, expected = null }: Progress): string => {
    before ??= expected === null ? 0 : receipts;
    const rate = (receipts - before) / Math.max(0.001, (performance.now() - start) / 1_000);
    const [read, of, perSecond] = [receipts, streams, Math.round(rate)].map((n) => n.toLocaleString('en-US'));
    return `${verb}: ${read} receipts in ${of} streams, ${perSecond}/s${outlook(receipts, expected, rate)}`;
  };
};

/** Of how many, and how long they will take at this rate, where that is known. */
const outlook = (receipts: number, expected: number | null, rate: number): string => {
  if (expected === null || expected <= receipts || rate <= 0) return '';
  const seconds = Math.ceil((expected - receipts) / rate);
  const left = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
  return `, of about ${expected.toLocaleString('en-US')}, ${left} left`;
};
