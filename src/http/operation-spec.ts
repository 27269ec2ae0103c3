import type { DescribeRouteOptions } from 'hono-openapi';
import { type JsonSchema, type SchemaComponents, jsonSchemaOf } from './json-schema.ts';
import type { BodyRule, Success } from './operation.ts';
import { LIMIT_FIELDS, headerReferences, isLimited, problemResponses, problemsOf } from './problem-spec.ts';
import type { Route } from './route.ts';
import { pathParameters } from './schema.ts';

type Parameters = NonNullable<DescribeRouteOptions['parameters']>;

const ref = (kind: string, name: string): { readonly $ref: string } => ({ $ref: `#/components/${kind}/${name}` });

/** Everything the API description says of one route. Named schemas go into `components`. */
export const operationSpec = (route: Route, components: SchemaComponents): DescribeRouteOptions => {
  const { operation, need } = route;
  const { id, tag, summary, description, body } = operation;
  const limitFields = isLimited(operation) ? LIMIT_FIELDS : [];
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, `**Needs:** ${need.says}`].filter((part) => part !== undefined).join('\n\n'),
    security: need.signedIn ? [{ bearer: [] }, { cookie: [] }] : [],
    parameters: parametersOf(route, components),
    ...(body.presence === 'none'
      ? {}
      : {
          requestBody: {
            required: body.presence === 'required',
            content: bodyContent(body, components),
          },
        }),
    responses: {
      ...Object.fromEntries(
        operation.successes.map((success) => [String(success.status), successSpec(success, limitFields, components)]),
      ),
      ...problemResponses(problemsOf(route), components),
    },
  };
};

const schemaOf = (schema: JsonSchema): never => schema as never;

/** OpenAPI 3.1 has no schema for raw bytes: their media type says it all. */
const bodyContent = ({ schema, bytes }: BodyRule<unknown>, components: SchemaComponents) =>
  bytes === undefined
    ? { 'application/json': { schema: schemaOf(jsonSchemaOf(schema, components)) } }
    : Object.fromEntries(bytes.mediaTypes.map((mediaType) => [mediaType, { schema: schemaOf({}) }]));

const parametersOf = ({ path, operation, need }: Route, components: SchemaComponents): Parameters => {
  const members = [...path.matchAll(/:([A-Za-z]+)/g)].map(([, name = '']) => {
    const schema = pathParameters[name];
    if (schema === undefined) throw new TypeError(`no schema for the path parameter ${name} of ${path}`);
    return { in: 'path', name, required: true, schema: schemaOf(jsonSchemaOf(schema, components)) };
  });
  const { properties = {} } = jsonSchemaOf(operation.query, components) as { properties?: Record<string, JsonSchema> };
  const queries = Object.entries(properties).map(([name, { description, ...schema }]) => ({
    in: 'query',
    name,
    required: false,
    ...(typeof description === 'string' ? { description } : {}),
    schema: schemaOf(schema),
  }));
  const hasETag = !need.isCommand && operation.successes.some(({ status }) => status === 304);
  const fields = [
    ...(need.isCommand ? ['IdempotencyKey', 'IfMatch'] : []),
    ...(hasETag ? ['IfNoneMatch'] : []),
    ...['RequestId', 'Traceparent'],
  ];
  return [...members, ...queries, ...fields.map((name) => ref('parameters', name))];
};

const successSpec = (
  { status, description, content, fields = [] }: Success,
  more: readonly string[],
  components: SchemaComponents,
) => ({
  description,
  headers: headerReferences([...fields.filter((field) => status !== 304 || field !== 'Location'), ...more]),
  ...(content === undefined
    ? {}
    : {
        content: Object.fromEntries(
          Object.entries(content).map(([mediaType, schema]) => [mediaType, { schema: jsonSchemaOf(schema, components) }]),
        ),
      }),
});
