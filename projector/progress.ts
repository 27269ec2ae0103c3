import { SingleBar } from 'cli-progress';
import type { Progress } from './ledger-report.ts';

/** Shows people how far a replay has come, where people watch: on a terminal. */
export type ProgressBar = { readonly show: (progress: Progress) => void; readonly stop: () => void };

export const progressBar = (verb: string, stream: NodeJS.WriteStream): ProgressBar => {
  if (!stream.isTTY) return { show: () => undefined, stop: () => undefined };
  const start = performance.now();
  let bar: SingleBar | null = null;
  // How many receipts there are is known at the end only: a number that grows, not a bar that fills.
  const format = `${verb}: {receipts} receipts in {streams} streams, {rate}/s`;
  return {
    show: ({ receipts, streams }) => {
      const rate = Math.round(receipts / Math.max(0.001, (performance.now() - start) / 1_000));
      const payload = {
        receipts: receipts.toLocaleString('en-US'),
        streams: streams.toLocaleString('en-US'),
        rate: rate.toLocaleString('en-US'),
      };
      if (bar === null) {
        bar = new SingleBar({ stream, format, clearOnComplete: true, hideCursor: true, fps: 10 });
        bar.start(0, 0, payload);
      } else bar.update(0, payload);
    },
    stop: () => bar?.stop(),
  };
};
