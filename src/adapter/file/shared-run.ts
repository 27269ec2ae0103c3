/**
 * Runs `work` for many callers so that each caller's run *began after its call*, while callers that come during a run share the
 * next one. That is what makes one fsync good for all the entries made before it began, and no good for those made while it
 * ran.
 */
export const sharedRun = (work: () => Promise<void>): (() => Promise<void>) => {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  const begin = (): Promise<void> => {
    const run: Promise<void> = work().finally(() => {
      if (running === run) running = null;
    });
    running = run;
    return run;
  };

  return () => {
    if (running === null) return begin();
    const afterwards = (): Promise<void> => {
      next = null;
      return begin();
    };
    next ??= running.then(afterwards, afterwards);
    return next;
  };
};
