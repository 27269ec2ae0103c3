import { runningEmbeddedPostgres, startEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import type { VerbContext } from './verb.ts';

/**
 * Runs `use` with the address of the configured Postgres. The embedded one is shared with a service that runs it, or started for this.
 * Throws `Outage`.
 */
export const withDatabase = async <T>({ config, say }: VerbContext, use: (url: string) => Promise<T>): Promise<T> => {
  const { database } = config();
  if (database.kind === 'url') return use(database.url);
  const running = await runningEmbeddedPostgres(database.directory);
  if (running !== undefined) return use(running);
  const server = await startEmbeddedPostgres({ directory: database.directory, log: say });
  try {
    return await use(server.url);
  } finally {
    await server.stop();
  }
};
