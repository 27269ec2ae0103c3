import { APIError } from 'better-auth/api';
import { limits } from '../../limits.ts';

const PROFILE_PATHS = new Set(['/sign-up/email', '/update-user']);
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused; Postgres stores no NUL.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

const PROFILE: readonly (readonly [member: string, chars: number])[] = [
  ['name', limits.userNameChars],
  ['image', limits.userImageChars],
];

/**
 * Refuses what better-auth would store as it comes: endless or unprintable names and pictures. It runs before the endpoint, so that the
 * answer is the same whether or not the address is known.
 */
export const refuseMalformedProfile = (path: string, body: unknown): void => {
  if (!PROFILE_PATHS.has(path) || typeof body !== 'object' || body === null) return;
  const given = new Map<string, unknown>(Object.entries(body));
  for (const [member, chars] of PROFILE) {
    const value = given.get(member);
    if (typeof value !== 'string' || isPrintable(value, chars)) continue;
    throw new APIError('BAD_REQUEST', {
      code: 'MALFORMED_PROFILE',
      message: `${member} must have at most ${chars} printable characters`,
    });
  }
};

export const isPrintable = (text: string, chars: number): boolean =>
  text.length <= chars && text.isWellFormed() && !CONTROL.test(text);
