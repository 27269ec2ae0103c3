/** What a run of one operation came to. Latencies in milliseconds. */
export type Measured = {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** CPU of this process per operation, in microseconds: steadier than the clock on a shared machine. */
  readonly cpuMicroseconds: number;
};

/**
 * Runs `operation` on `lanes` lanes, each one after the other, for `seconds` after a warm-up of a fifth of that.
 * The operation is told its lane and how many it did there.
 */
export const measure = async (
  lanes: number,
  seconds: number,
  operation: (lane: number, turn: number) => Promise<unknown>,
): Promise<Measured> => {
  const turns = new Array<number>(lanes).fill(0);
  const run = async (forMs: number, latencies: number[]): Promise<void> => {
    const end = performance.now() + forMs;
    await Promise.all(
      turns.map(async (_, lane) => {
        while (performance.now() < end) {
          const start = performance.now();
          await operation(lane, turns[lane] ?? 0);
          turns[lane] = (turns[lane] ?? 0) + 1;
          latencies.push(performance.now() - start);
        }
      }),
    );
  };
  await run(seconds * 200, []);
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run(seconds * 1_000, latencies);
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    perSecond: (latencies.length / elapsedMs) * 1_000,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    cpuMicroseconds: (user + system) / latencies.length,
  };
};
