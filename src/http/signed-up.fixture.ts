import { ok } from '../result.ts';
import type { HttpParts } from './parts.ts';
import { API_KEY_ID, SESSION_ID } from './plausible.fixture.ts';

const SINCE = '2026-01-02T00:00:00.000Z';

/** For a world in which everybody has one session and one API key, of the same names for all, and the sign-in system takes what it is sent. */
export const signedUp = ({ authentication }: Pick<HttpParts, 'authentication'>): Partial<HttpParts> => ({
  authentication: {
    ...authentication,
    handle: () => Promise.resolve(Response.json({})),
    sessions: () => Promise.resolve([]),
    revokeSession: (_userId, sessionId) => Promise.resolve(sessionId === SESSION_ID),
    createApiKey: (_userId, { name, scopes, expiresAt }) =>
      Promise.resolve(
        ok({
          apiKeyId: API_KEY_ID,
          name,
          start: 'pixpax_',
          scopes,
          createdAt: SINCE as never,
          expiresAt,
          lastUsedAt: null,
          key: 'pixpax_key',
        }),
      ),
    revokeApiKey: (_userId, apiKeyId) => Promise.resolve(apiKeyId === API_KEY_ID),
  },
});
