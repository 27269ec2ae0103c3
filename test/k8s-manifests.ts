import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** The checkout, and the operator's files in it. */
export const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'k8s');

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const reference = z.object({ name: z.string(), key: z.string() });

const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
  env: z.array(
    z.union([
      z.strictObject({ name: z.string(), value: z.string() }),
      z.strictObject({ name: z.string(), valueFrom: z.strictObject({ configMapKeyRef: reference }) }),
    ]),
  ),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  lifecycle: z.object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }) }) }).optional(),
  securityContext: z.looseObject({}),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});

const volume = z.object({
  name: z.string(),
  secret: z.object({ secretName: z.string() }).optional(),
  projected: z.object({ sources: z.array(z.object({ serviceAccountToken: z.object({ path: z.string() }) })) }).optional(),
});

const pod = z.object({
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: z.number().default(30),
  securityContext: z.looseObject({}),
  containers: z.tuple([container]),
  volumes: z.array(volume),
});

const podTemplate = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }), spec: pod });
const workload = z.union([
  z.object({ spec: z.object({ template: podTemplate }) }).transform(({ spec }) => spec.template),
  z
    .object({ spec: z.object({ jobTemplate: z.object({ spec: z.object({ template: podTemplate }) }) }) })
    .transform(({ spec }) => spec.jobTemplate.spec.template),
]);

export type Pod = z.infer<typeof pod>;
export type Manifest = { readonly file: string; readonly kind: string; readonly name: string; readonly body: unknown };

const head = z.looseObject({ kind: z.string(), metadata: z.object({ name: z.string() }) });

/** Every YAML document of the folder. Throws when one does not say what it is. */
export const readManifests = (): readonly Manifest[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) =>
      parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
        const body = head.parse(document.toJS());
        return { file, kind: body.kind, name: body.metadata.name, body };
      }),
    );

/** What runs containers: the one container of each, its pod and its labels. */
export const workloadsOf = (manifests: readonly Manifest[]) =>
  manifests
    .filter(({ kind }) => ['Deployment', 'Job', 'CronJob'].includes(kind))
    .map(({ name, body }) => {
      const { metadata, spec } = workload.parse(body);
      const [only] = spec.containers;
      return { name, labels: metadata.labels, pod: spec, container: only };
    });

export type Workload = ReturnType<typeof workloadsOf>[number];

const configMap = z.object({ data: z.record(z.string(), z.string()) });
const secret = z.object({ stringData: z.record(z.string(), z.string()) });

const valueIn = (data: Readonly<Record<string, string>> | undefined, key: string, where: string): string => {
  const value = data?.[key];
  if (value === undefined) throw new Error(`${where} has no ${key}`);
  return value;
};

/**
 * The environment a container is started with. A variable that names a file of a secret gets the path `keep` gives for its content.
 * Throws when a config map, a secret, a volume or a key in one of them is not there.
 */
export const environmentOf = (
  { pod: { volumes }, container: { env, envFrom, volumeMounts } }: Workload,
  manifests: readonly Manifest[],
  keep: (name: string, content: string) => string,
): Record<string, string> => {
  const find = (kind: string, name: string): unknown => manifests.find((each) => each.kind === kind && each.name === name)?.body;
  const mapped = (name: string) => configMap.parse(find('ConfigMap', name)).data;
  const given: Record<string, string> = Object.assign({}, ...envFrom.map(({ configMapRef }) => mapped(configMapRef.name)));
  for (const variable of env) {
    if ('valueFrom' in variable) {
      const { name, key } = variable.valueFrom.configMapKeyRef;
      given[variable.name] = valueIn(mapped(name), key, name);
      continue;
    }
    given[variable.name] = variable.value;
    if (!variable.name.endsWith('_FILE')) continue;
    const mount = volumeMounts.find(({ mountPath }) => variable.value.startsWith(`${mountPath}/`));
    const secretName = volumes.find(({ name }) => name === mount?.name)?.secret?.secretName;
    if (mount === undefined || secretName === undefined) throw new Error(`${variable.name} names a file that is not mounted`);
    const { stringData } = secret.parse(find('Secret', secretName));
    const content = valueIn(stringData, variable.value.slice(mount.mountPath.length + 1), secretName);
    given[variable.name] = keep(variable.name, content);
  }
  return given;
};

/** A text file of the checkout. */
export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
