import { z } from 'zod';
import { freshAnswer } from '../answer.ts';
import { noBody, noQuery, operation } from '../operation.ts';
import type { Health } from '../parts.ts';
import { readinessSchema } from '../resource-schema.ts';
import { freshOf } from '../success.ts';

export const readHealth = operation({
  id: 'readHealth',
  tag: 'Operations',
  summary: 'Whether the process answers',
  successes: freshOf(z.strictObject({ status: z.literal('ok') }), 'It does'),
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async (_service, _nobody: null) => freshAnswer(200, { status: 'ok' }),
});

const isDown = (health: Health, dependency: keyof Health): boolean => health[dependency].status === 'down';

export const readReadiness = operation({
  id: 'readReadiness',
  tag: 'Operations',
  summary: 'Whether requests should be sent here, each dependency named',
  description:
    'Without the signer reads, audits and rebuilds go on: that is `degraded`, and no reason to take the process out of service.',
  successes: freshOf(readinessSchema, 'Send requests'),
  problems: ['not-ready'],
  query: noQuery,
  body: noBody,
  handle: async (service, _nobody: null) => {
    const dependencies = await service.health();
    if (isDown(dependencies, 'postgres') || isDown(dependencies, 'store'))
      return { code: 'not-ready', detail: 'a part that every request needs is down', more: { dependencies } };
    return freshAnswer(200, { status: isDown(dependencies, 'signer') ? 'degraded' : 'ok', dependencies });
  },
});

export const readMetrics = operation({
  id: 'readMetrics',
  tag: 'Operations',
  summary: 'Prometheus metrics',
  description:
    'For operators, and for scrapers that show METRICS_TOKEN as their bearer token: also while Postgres is away, and nobody can be signed in.',
  successes: freshOf(z.string(), 'The metrics', 'text/plain'),
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async ({ metrics }, _reader: 'scraper' | 'operator') => ({
    status: 200,
    headers: { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' },
    body: await metrics.metrics(),
  }),
});
