/** At most `atOnce` of the calls given run at any time; the others wait in order. A call that throws frees its place. */
export const takingTurns = (atOnce: number): (<T>(call: () => Promise<T>) => Promise<T>) => {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (call) => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await call();
    } finally {
      // The place is handed on as it is: were it given back first, a newcomer could take it before the one who waits.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
};
