import { permissionOf } from '../access/permission.ts';
import { type JsonSchema, type SchemaComponents, jsonSchemaOf } from './json-schema.ts';
import type { Described } from './operation.ts';
import { type ProblemCode, problemCodes, problemKinds } from './problem-code.ts';
import { problemSchema } from './resource-schema.ts';
import type { Route } from './route.ts';

/** What may happen to any request, before or beside its route. */
const ANY_REQUEST: readonly ProblemCode[] = [
  'malformed-request',
  'invalid-request',
  'request-timeout',
  'headers-too-large',
  'internal-error',
];

/** Whether requests for an operation are counted, so that its answers tell how the allowances stand. */
export const isLimited = ({ id }: Pick<Described, 'id'>): boolean => permissionOf(id)?.limit !== 'probe';

/** Every code a route may answer with, its own and those that follow from what it needs and takes. */
export const problemsOf = ({ method, need, operation }: Route): readonly ProblemCode[] => {
  const codes = new Set<ProblemCode>([...operation.problems, ...need.problems, ...ANY_REQUEST]);
  const add = (...more: readonly ProblemCode[]): void => {
    for (const code of more) codes.add(code);
  };
  if (isLimited(operation)) add('rate-limited');
  if (operation.successes.some(({ content }) => content !== undefined)) add('not-acceptable');
  if (need.signedIn) add(permissionOf(operation.id)?.scope == null ? 'person-required' : 'scope-missing');
  if (need.signedIn) add('unauthenticated', 'postgres-unavailable', 'store-unavailable', 'store-refused', 'deadline-exceeded');
  if (method !== 'GET' && need.signedIn) add('origin-not-trusted');
  if (operation.body.presence !== 'none') add('body-too-large', 'unsupported-media-type');
  if (operation.body.presence !== 'none' && operation.body.bytes === undefined) add('invalid-json');
  if (need.isCommand)
    add('idempotency-key-missing', 'idempotency-key-malformed', 'if-match-malformed', 'signer-unavailable', 'signer-refused');
  return problemCodes.filter((code) => codes.has(code));
};

/** The responses with these codes, by status. One code alone is a component, for most routes share it. */
export const problemResponses = (codes: readonly ProblemCode[], components: SchemaComponents) => {
  const problem = jsonSchemaOf(problemSchema, components);
  const byStatus = [...Map.groupBy(codes, (code) => problemKinds[code].status)].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    byStatus.map(([status, group]) => {
      const [only, ...others] = group;
      const response =
        only !== undefined && others.length === 0
          ? { $ref: `#/components/responses/${componentName(only)}` }
          : problemResponse(status, group, problem);
      return [String(status), response];
    }),
  );
};

/** The components that `problemResponses` refers to. */
export const problemComponents = (components: SchemaComponents) => {
  const problem = jsonSchemaOf(problemSchema, components);
  return Object.fromEntries(
    problemCodes.map((code) => [componentName(code), problemResponse(problemKinds[code].status, [code], problem)]),
  );
};

const componentName = (code: ProblemCode): string =>
  code
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

/** Of every answer to a request that was counted. */
export const LIMIT_FIELDS = ['RateLimit', 'RateLimit-Policy'] as const;

const FIELDS_BY_STATUS: { readonly [status: number]: readonly string[] } = { 401: ['WWW-Authenticate'] };

const problemResponse = (status: number, codes: readonly ProblemCode[], problem: JsonSchema) => {
  const canRetry = codes.some((code) => problemKinds[code].retryAfterSeconds !== undefined);
  const fields = [...(FIELDS_BY_STATUS[status] ?? []), ...(canRetry ? ['Retry-After'] : []), ...LIMIT_FIELDS];
  return {
    description: codes.map((code) => `\`${code}\` ${problemKinds[code].title}`).join(' · '),
    headers: headerReferences(fields),
    content: {
      'application/problem+json': {
        schema: { allOf: [problem, { properties: { code: { enum: codes }, status: { const: status } } }] },
      },
    },
  };
};

/** Header fields of an answer, each described once among the components. Every answer has `X-Request-Id`. */
export const headerReferences = (fields: readonly string[]) =>
  Object.fromEntries([...fields, 'X-Request-Id'].map((field) => [field, { $ref: `#/components/headers/${field}` }]));
