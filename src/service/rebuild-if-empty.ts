import type { Logger } from 'pino';
export const rebuildIfEmpty = async (_: { log: Logger } & Record<string, unknown>): Promise<void> => undefined;
