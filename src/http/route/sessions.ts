import type { Session } from '../../port/authentication.ts';
import { freshAnswer } from '../answer.ts';
import { parseSessionId } from '../id-schema.ts';
import { pageOf } from '../list-page.ts';
import { emptyBody, noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import { pageSchema } from '../resource-schema.ts';
import { sessionSchema } from '../sign-in-schema.ts';
import { freshOf } from '../success.ts';

export const listSessions = operation({
  id: 'listSessions',
  tag: 'Sign-in',
  summary: 'Your sessions',
  description:
    'Those that are live, the newest first and at most a hundred: where you are signed in. `current` is the one that asks.',
  successes: freshOf(pageSchema('SessionPage', sessionSchema), 'All of them on one page'),
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async ({ authentication }, { userId, sessionId: current }: Session) => {
    const sessions = await authentication.sessions(userId);
    const rows = sessions.map((each) => ({ ...each, current: each.sessionId === current }));
    return freshAnswer(
      200,
      pageOf(rows, false, ({ sessionId }) => sessionId),
    );
  },
});

export const revokeSession = operation({
  id: 'revokeSession',
  tag: 'Sign-in',
  summary: 'End one of your sessions',
  description:
    'At once and everywhere. All others but this one: `POST /v1/auth/revoke-other-sessions`. Repeated, it is not there any more.',
  successes: [{ status: 204, description: 'It is over', fields: ['Cache-Control'] }],
  problems: ['not-found'],
  query: noQuery,
  body: emptyBody,
  handle: async ({ authentication }, { userId }: Session, { param }) => {
    const sessionId = parseSessionId(param('sessionId'));
    if (!sessionId.ok || !(await authentication.revokeSession(userId, sessionId.value))) return notFound;
    return { status: 204, headers: { 'Cache-Control': 'no-store' }, body: null };
  },
});
