/** What is told of a route of the sign-in system's. */
export type Described = {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: Readonly<Record<string, object>>;
  readonly body?: object;
  readonly answer: object;
  readonly says: string;
};

export const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
});

const json = (schema: object) => ({ content: { 'application/json': { schema } } });

/** The route as OpenAPI 3.1 has it. `isSignedIn`: a session is needed; an API key never does. */
export const described = (
  { id, summary, description, query = {}, body, answer, says }: Described,
  isSignedIn: boolean,
  problems: object,
) => ({
  operationId: id,
  tags: ['Sign-in'],
  summary,
  ...(description === undefined ? {} : { description }),
  security: isSignedIn ? [{ bearer: [] }, { cookie: [] }] : [],
  ...(Object.keys(query).length === 0
    ? {}
    : { parameters: Object.entries(query).map(([name, schema]) => ({ in: 'query', name, required: false, schema })) }),
  ...(body === undefined ? {} : { requestBody: { required: true, ...json(body) } }),
  responses: { '200': { description: says, ...json(answer) }, ...problems },
});
