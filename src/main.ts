import { parseConfig } from './config.ts';
import { openLog } from './service/log.ts';
import { serve } from './service/serve.ts';
import { Refused } from './service/until-up.ts';

/**
 * `serve`: the composition root. Exit codes: 0 stopped when asked to, 1 a bug, 2 the service cannot start like this (configuration,
 * store, ledger), said in one line on stderr.
 */
const main = async (): Promise<number> => {
  const config = parseConfig(process.env, process.cwd());
  if (!config.ok) {
    for (const { variable, detail } of config.error) console.error(`${variable} ${detail}`);
    return 2;
  }
  const log = openLog(config.value);
  const serving = await serve(config.value, log).catch((error: unknown) =>
    error instanceof Error ? error : new Error('thrown'),
  );
  if (serving instanceof Error) {
    console.error(serving.message); // the port cannot be had: the message says what to do
    return 2;
  }
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  try {
    const started = await Promise.race([serving.ready, asked]);
    if (started !== undefined) {
      if (!config.value.production) process.stdout.write(started.greeting);
      log.info({ url: serving.url }, 'ready');
      await asked;
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.error(error.message);
    return 2;
  } finally {
    await serving.stop();
  }
};

process.exitCode = await main();
