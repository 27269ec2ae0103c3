import { DemoStopped, type Reply } from './api.ts';
import { say } from './say.ts';

/** An attempt that must be refused: prints the refusal, and stops the demo when there is none, or another. */
export const refusedAs = (what: string, expected: readonly string[], { status, body }: Reply): void => {
  const code = typeof body.code === 'string' ? body.code : 'no code';
  if (!expected.includes(code))
    throw new DemoStopped(`${what}: expected ${expected.join(' or ')}, was answered ${status} ${code}`);
  say(`${what} → ${status} ${code}`);
};
