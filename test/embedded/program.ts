import { startEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';

/**
 * A process of its own around an embedded Postgres, to be killed by tests. Arguments: the directory, and `durable` if it is
 * to be. Prints one line of JSON, `{url, pid}` or `{fault}`, and stops when its standard input ends.
 */
const [directory = '', durable] = process.argv.slice(2);
let stop = (): Promise<void> | void => process.exit(1);
process.stdin.resume().once('end', () => void stop());
try {
  const server = await startEmbeddedPostgres({ directory, durable: durable === 'durable' });
  stop = () => server.stop();
  console.log(JSON.stringify({ url: server.url, pid: server.pid }));
} catch (error) {
  console.log(JSON.stringify({ fault: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }));
}
