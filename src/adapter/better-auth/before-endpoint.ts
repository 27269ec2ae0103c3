import { createAuthMiddleware } from 'better-auth/api';
import { refuseMalformedPasskey } from './passkeys.ts';
import { refuseMalformedProfile } from './user-profile.ts';

/** What is seen to before any of better-auth's endpoints runs. */
export const beforeEndpoint = createAuthMiddleware(({ path, body, query }: Asked) => {
  refuseMalformedProfile(path, body);
  refuseMalformedPasskey(path, body, query);
  // Whoever changes a password may do so because somebody else knows it: all other sessions end, asked for or not.
  const isChange = path === '/change-password' && typeof body === 'object' && body !== null;
  return Promise.resolve(isChange ? { context: { body: { ...body, revokeOtherSessions: true } } } : undefined);
});

type Asked = { readonly path: string; readonly body?: unknown; readonly query?: unknown };
