/** Shows people how far it has come, where people watch: on a terminal. */
export type GenerateProgress = {
  readonly show: (receipts: number) => void;
  readonly stop: () => void;
  /** Since it was opened. */
  readonly seconds: () => number;
};

const MINUTE_SECONDS = 60;

export const openProgress = (stream: NodeJS.WriteStream, wanted: number): GenerateProgress => {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1_000;
  const count = (n: number): string => Math.round(n).toLocaleString('en-US');
  return {
    show: (receipts) => {
      if (!stream.isTTY || receipts === 0) return;
      const perSecond = receipts / Math.max(0.001, seconds());
      const left = (wanted - receipts) / perSecond;
      const time = left > MINUTE_SECONDS ? `${Math.ceil(left / MINUTE_SECONDS)} min` : `${Math.max(0, Math.ceil(left))} s`;
      stream.write(`\r\u001b[Kgenerate: ${count(receipts)} of ${count(wanted)} receipts, ${count(perSecond)}/s, ${time} left`);
    },
    stop: () => {
      if (stream.isTTY) stream.write('\r\u001b[K');
    },
    seconds,
  };
};
