/** What `make` resolves to, made once: those who ask at the same time share one making, and a failure is not remembered. */
export const remembered = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
};
