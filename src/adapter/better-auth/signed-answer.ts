import { z } from 'zod';

const withToken = z.looseObject({ token: z.string() });
const withSession = z.looseObject({ session: z.looseObject({}) });

/**
 * The answer with the session's token as its holder presents it, signed, where better-auth tells the one of the database: as `token` of every
 * answer that begins a session. Elsewhere no token is told: a page that reads its session must not learn what its cookie keeps from it.
 */
export const withSignedTokens = async (answer: Response): Promise<Response> => {
  if (!answer.ok || !(answer.headers.get('content-type') ?? '').startsWith('application/json')) return answer;
  const text = await answer.text();
  const said: unknown = text === '' ? undefined : JSON.parse(text);
  const headers = new Headers(answer.headers);
  headers.delete('content-length');
  const body = said === undefined ? text : JSON.stringify(rewritten(said, headers.get('set-auth-token')));
  return new Response(body, { status: answer.status, headers });
};

const rewritten = (said: unknown, signed: string | null): unknown => {
  const bare = withToken.safeParse(said);
  if (bare.success) return { ...bare.data, token: signed };
  const holder = withSession.safeParse(said);
  if (!holder.success) return said;
  const { token: _bare, ...session } = holder.data.session;
  return { ...(signed === null ? {} : { token: signed }), ...holder.data, session };
};
