import { constants, setPriority } from 'node:os';

/**
 * Lets everything else on this machine go first, for the rest of this process and the threads it starts: a service beside a rebuild must answer
 * as ever, and on a machine that has nothing else to do it costs nothing. Where the system does not allow it, nothing happens.
 */
export const givePrecedence = (): void => {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // Slower for others, and right all the same.
  }
};
