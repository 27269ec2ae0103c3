import { parseConfig } from '../../src/config.ts';
import type { Session } from '../../src/port/authentication.ts';
import { demoUser } from '../../src/service/demo.ts';
import { openLog } from '../../src/service/log.ts';
import { serve } from '../../src/service/serve.ts';

/** The service, except that everybody is the demo's collector and nobody is looked up: what authentication costs is measured against it. */
const config = parseConfig(process.env, process.cwd());
if (!config.ok) throw new Error(config.error.map(({ variable, detail }) => `${variable} ${detail}`).join('\n'));
const anybody: Session = { userId: demoUser.userId, sessionId: 'ses_none', via: 'bearer', scopes: null };
const serving = await serve(config.value, openLog(config.value), {
  authentication: (real) => ({ ...real, session: () => Promise.resolve(anybody) }),
});
process.once('SIGTERM', () => void serving.stop());
process.stdout.write((await serving.ready).greeting);
