import { Hono } from 'hono';
import type { Health } from './parts.ts';
import { problemAnswer } from './problem.ts';
import { requestContextOf } from './request-context.ts';
import { securityFields } from './security-field.ts';

/**
 * What answers while the service waits for its dependencies: it lives, it is not ready, and it says what it waits for. Everything else is
 * 503 `not-ready` with `Retry-After`, so that a client that comes early tries again.
 */
export const createStartingApp = (health: () => Promise<Health>, publicUrl: string): Hono => {
  const app = new Hono();
  const common = securityFields(publicUrl);
  app.get('/health', (c) => c.json({ status: 'ok' }, 200, { ...common, 'Cache-Control': 'no-store' }));
  app.all('*', async (c) => {
    const context = requestContextOf(c.req.header('x-request-id') ?? null, c.req.header('traceparent') ?? null);
    const detail = 'the service is starting and waits for what it needs';
    const problem = { code: 'not-ready', detail, more: { dependencies: await health() } } as const;
    const { status, headers, body } = problemAnswer(problem, c.req.path, context);
    return new Response(typeof body === 'string' ? body : null, {
      status,
      headers: { ...common, ...headers, 'X-Request-Id': context.requestId },
    });
  });
  return app;
};
