import { SingleBar } from 'cli-progress';
import type { Progress } from './ledger-report.ts';

/** Shows people how far a replay has come, where people watch: on a terminal. */
export type ProgressBar = { readonly show: (progress: Progress) => void; readonly stop: () => void };

export const progressBar = (verb: string, stream: NodeJS.WriteStream): ProgressBar => {
  if (!stream.isTTY) return { show: () => undefined, stop: () => undefined };
  const start = performance.now();
  let bar: SingleBar | null = null;
  /** What an earlier run had done says nothing of how fast this one is. */
  let before: number | null = null;
  return {
    show: ({ receipts, streams, expected = null }) => {
      before ??= expected === null ? 0 : receipts;
      const rate = (receipts - before) / Math.max(0.001, (performance.now() - start) / 1_000);
      const said = {
        receipts: receipts.toLocaleString('en-US'),
        streams: streams.toLocaleString('en-US'),
        rate: Math.round(rate).toLocaleString('en-US'),
        outlook: outlook(receipts, expected, rate),
      };
      if (bar === null) {
        const format = `${verb}: {receipts} receipts in {streams} streams, {rate}/s{outlook}`;
        bar = new SingleBar({ stream, format, clearOnComplete: true, hideCursor: true, fps: 10 });
        bar.start(0, 0, said);
      } else bar.update(0, said);
    },
    stop: () => bar?.stop(),
  };
};

/** Of how many, and how long they will take at this rate, where that is known. */
const outlook = (receipts: number, expected: number | null, rate: number): string => {
  if (expected === null || expected <= receipts || rate <= 0) return '';
  const seconds = Math.ceil((expected - receipts) / rate);
  const left = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
  return `, of about ${expected.toLocaleString('en-US')}, ${left} left`;
};
