/** Opens sign-in on the database given and closes it: one of several processes that start at once. */
import { openAuthentication } from './authentication.ts';
import { configFor } from './sign-in.fixture.ts';

const [databaseUrl] = process.argv.slice(2);
if (databaseUrl === undefined) throw new Error('which database?');
await (await openAuthentication(configFor(databaseUrl))).close();
