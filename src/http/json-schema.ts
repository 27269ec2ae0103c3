import { z } from 'zod';

/** A JSON Schema of OpenAPI 3.1, as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown };
/** Named schemas, met on the way. */
export type SchemaComponents = Record<string, JsonSchema>;

const DEFINITIONS = '#/$defs/';
const COMPONENTS = '#/components/schemas/';

/**
 * The JSON Schema of a Zod schema's output. Schemas with a `meta.id` are put into `components` and referred to. What has no JSON Schema (a branded
 * id's parser) is described by its `meta`.
 */
export const jsonSchemaOf = (schema: z.ZodType, components: SchemaComponents): JsonSchema => {
  // Inside another object a schema with an id is always a reference, never the root.
  const { properties, $defs } = z.toJSONSchema(z.strictObject({ it: schema }), { unrepresentable: 'any', io: 'output' });
  for (const [name, definition] of Object.entries($defs ?? {})) {
    const { id: _id, ...rest } = definition as JsonSchema;
    components[name] = withComponentReferences(rest) as JsonSchema;
  }
  return withComponentReferences(properties?.it) as JsonSchema;
};

const withComponentReferences = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withComponentReferences);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      name === '$ref' && typeof inner === 'string'
        ? [name, inner.replace(DEFINITIONS, COMPONENTS)]
        : [name, withComponentReferences(inner)],
    ),
  );
};
