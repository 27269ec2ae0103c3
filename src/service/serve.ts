import type { Logger } from 'pino';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { ulid } from 'ulid';
import { verifyStream } from '../../projector/verify-stream.ts';
import { startEmbeddedPostgres } from '../adapter/postgres/embedded.ts';
import { openLedgerQueries } from '../adapter/postgres/ledger-queries.ts';
import { ensureSchemas } from '../adapter/postgres/migrate.ts';
import { openPool } from '../adapter/postgres/pool.ts';
import { openReadModel } from '../adapter/postgres/read-model.ts';
import { ensureRoles } from '../adapter/postgres/roles.ts';
import { openProjector } from '../adapter/projector-process/projector.ts';
import { initialise } from '../command/initialise.ts';
import { qualifyStore } from '../command/qualify.ts';
import type { Config } from '../config.ts';
import { createApp } from '../http/app.ts';
import type { Health, HttpConfig } from '../http/parts.ts';
import { type Served, serve as serveHttp } from '../http/serve.ts';
import { createStartingApp } from '../http/starting-app.ts';
import type { Authentication } from '../port/authentication.ts';
import { systemClock } from '../port/clock.ts';
import type { Dependency } from '../port/outage.ts';
import { DemoRefused, demoOperator, greeting, seedDemo } from './demo.ts';
import { openDomain } from './domain-parts.ts';
import { dependencyHealth } from './health.ts';
import { openLimits } from './limits.ts';
import { notifyBy } from './notices.ts';
import { openCodeSecret, openCustody, openReceiptStore } from './open-parts.ts';
import { ensureOperators } from './operators.ts';
import { projectorEnvironment } from './projector-environment.ts';
import { rebuildIfEmpty, rebuildIfOther } from './rebuild-before-serving.ts';
import { openSignIn } from './sign-in.ts';
import { Refused, type Waiting, untilUp } from './until-up.ts';

export type Serving = {
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Resolves once commands are taken; rejects with `Refused` or a bug when the service cannot start like this. */
  readonly ready: Promise<{ readonly greeting: string }>;
  /** Finishes what is under way, then lets go of everything, last opened first. Safe to call twice and before `ready`. */
  stop(): Promise<void>;
};

/** What a measurement puts in the place of a part. No environment can ask for it. */
export type Replaced = { readonly authentication?: (real: Authentication) => Authentication };

/**
 * Starts the service: listens at once, answering 503 until its dependencies are there, then takes commands. A dependency that goes away
 * later is named by `/health/ready` and by the 503 of what needs it; the service waits for it and goes on.
 */
export const serve = async (config: Config, log: Logger, replaced: Replaced = {}): Promise<Serving> => {
  const stopping = new AbortController();
  const closing: (() => Promise<void>)[] = [];
  const waiting: Waiting = new Map();
  const starting = createStartingApp(async () => startingHealth(waiting), config.publicUrl);
  let answer: Served = starting.fetch;
  const server = await serveHttp((request, env) => answer(request, env), {
    ...{ host: config.host, port: config.port, publicUrl: config.publicUrl, log },
  });

  const ready = bringUp(config, log, { waiting, signal: stopping.signal, closing, replaced }).then(({ fetch, text }) => {
    answer = fetch;
    return { greeting: text(server.url) };
  });
  ready.catch(() => undefined); // whoever waits for it hears; nobody waiting is no crash

  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    stopping.abort();
    await server.stop();
    await ready.catch(() => undefined);
    for (const close of closing.reverse()) await close().catch((error: unknown) => log.warn({ err: error }, 'closing failed'));
  };
  return { url: server.url, ready, stop: () => (stopped ??= stop()) };
};

type Start = {
  readonly replaced: Replaced;
  readonly waiting: Waiting;
  readonly signal: AbortSignal;
  readonly closing: (() => Promise<void>)[];
};

const startingHealth = (waiting: Waiting): Health => {
  const of = (dependency: Dependency): Health[Dependency] => ({ status: 'down', reason: waiting.get(dependency) ?? 'starting' });
  return { postgres: of('postgres'), store: of('store'), signer: of('signer') };
};

const bringUp = async (config: Config, log: Logger, { waiting, signal, closing, replaced }: Start) => {
  const clock = systemClock;
  const attempt = { clock, log, waiting, signal };
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });

  const store = await untilUp(attempt, () => openReceiptStore(config, clock));
  closing.push(() => store.close());
  const qualified = await untilUp(attempt, () => qualifyStore(store, clock, ulid()));
  if (!qualified.ok) throw new Refused(`store-not-qualified: ${store.description}: ${qualified.error.finding}`);
  const { signer, sealer } = await untilUp(attempt, () => openCustody(config, clock));
  closing.push(
    () => signer.close(),
    () => sealer.close(),
  );
  const anchor = await untilUp(attempt, () => initialise({ store, signer, clock }, config.trust));
  if (!anchor.ok) throw new Refused(`${anchor.error.code}: ${anchor.error.detail}`);
  const { fingerprint: trust, publicKey, created } = anchor.value;
  if (created) log.warn({ fingerprint: trust }, 'a new ledger was initialised: pin this fingerprint');

  const databaseUrl = await openDatabase(config, log, closing, signal);
  const pool = openPool({ url: databaseUrl });
  closing.push(() => pool.end());
  await untilUp(attempt, () => ensureRoles(databaseUrl));
  if (!created) await untilUp(attempt, () => rebuildIfOther({ config, databaseUrl, trust, log }));
  await untilUp(attempt, () => ensureSchemas(pool));
  const readModel = openReadModel({ pool });
  if (!created) await untilUp(attempt, () => rebuildIfEmpty({ config, readModel, databaseUrl, trust, log }));
  const queries = openLedgerQueries({ pool });
  const { authentication, demo: signedIn } = await untilUp(attempt, () => openSignIn(config, databaseUrl, log));
  closing.push(() => authentication.close());

  const limiter = openLimits({ config, databaseUrl, clock, log, metrics });
  closing.push(() => limiter.close());
  const ports = { store, signer, sealer, readModel, clock, trust, notify: notifyBy(log, metrics) };
  const operators = [...config.operatorUsers, ...(signedIn === null ? [] : [demoOperator.userId])];
  await untilUp(attempt, () => ensureOperators(ports, operators, log));
  const codeSecret = await openCodeSecret(config);
  const env = projectorEnvironment(config, { databaseUrl, trust }, process.env);
  const projector = openProjector({ env, clock, log });
  const { start, ...domain } = openDomain({ ports, queries, pool, databaseUrl, codeSecret, projector, log, metrics });
  const app = createApp({
    ...domain,
    queries,
    store,
    authentication: replaced.authentication?.(authentication) ?? authentication,
    limiter,
    health: dependencyHealth({ store, signer, readModel, clock }),
    verifyStream: (stream) => verifyStream({ store, trust }, stream),
    ledger: { fingerprint: trust, publicKey },
    clock,
    log,
    metrics,
    config: httpConfigOf(config),
  });
  const background = await untilUp(attempt, start);
  closing.push(() => background.stop());
  const demo = signedIn === null ? null : await seedDemo({ commands: domain.commands, queries, store }).catch(demoGone(log));
  return { fetch: app.fetch, text: (url: string) => greeting(publicUrlOf(config, url), trust, demo, signedIn?.token ?? '') };
};

/** Of the configuration only what HTTP needs: no other secret. */
const httpConfigOf = ({ publicUrl, trustedOrigins, trustedProxies, metricsToken }: Config): HttpConfig => ({
  ...{ publicUrl, trustedOrigins, trustedProxies, metricsToken },
});

/** With `PORT=0` the port is only known once we listen. */
const publicUrlOf = ({ port, publicUrl }: Config, url: string): string => (port === 0 ? url : publicUrl);

const demoGone =
  (log: Logger) =>
  (error: unknown): null => {
    if (!(error instanceof DemoRefused)) throw error;
    log.warn({ reason: error.message }, 'the demo cannot be shown');
    return null;
  };

/** The URL of Postgres; the embedded one is started first, and its end ends the service: a supervisor starts both again. */
const openDatabase = async (
  { database }: Config,
  log: Logger,
  closing: (() => Promise<void>)[],
  signal: AbortSignal,
): Promise<string> => {
  if (database.kind === 'url') return database.url;
  const postgres = await startEmbeddedPostgres({ directory: database.directory, log: (message) => log.info(message) });
  closing.push(() => postgres.stop());
  void postgres.ended.then((how) => {
    if (!signal.aborted) log.error({ how }, 'the embedded Postgres ended; reads and commands answer 503 until a restart');
  });
  return postgres.url;
};
