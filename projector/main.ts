import { parseConfig } from '../src/config.ts';
import { runProjector } from './command-line.ts';

// A service that started this as a process of its own holds the other end of a channel. When it dies, nobody waits for what is found here.
process.once('disconnect', () => process.exit(2));
process.channel?.unref();

/** Every verb but `serve`. A bug must not read as "the ledger is wrong", which is what exit code 1 says. */
try {
  process.exitCode = await runProjector(process.argv.slice(2), {
    config: () => parseConfig(process.env, process.cwd()),
    stdout: process.stdout,
    stderr: process.stderr,
  });
} catch (error) {
  console.error(error);
  process.exitCode = 2;
}
