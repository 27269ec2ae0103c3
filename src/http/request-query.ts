import { type Result, err, ok } from '../result.ts';
import type { QuerySchema } from './operation.ts';
import { type Problem, invalid } from './problem.ts';
import { checked } from './request-body.ts';

/** Query parameters by name, each at most once, checked against a schema: an unknown one is refused, lest `asof` be silently `now`. */
export const readQuery = <Query>(schema: QuerySchema<Query>, url: string): Result<Query, Problem> => {
  const parameters = parametersOf(url);
  return parameters.ok ? checked(schema, parameters.value, 'query') : parameters;
};

const parametersOf = (url: string): Result<Record<string, string>, Problem> => {
  const at = url.indexOf('?');
  const parameters: Record<string, string> = Object.create(null) as Record<string, string>;
  if (at < 0) return ok(parameters);
  for (const [name, value] of new URLSearchParams(url.slice(at + 1))) {
    if (name in parameters)
      return err(
        invalid({
          in: 'query',
          pointer: `/${name.slice(0, 100)}`,
          code: 'duplicate-member',
          detail: 'this parameter is given twice',
        }),
      );
    parameters[name] = value;
  }
  return ok(parameters);
};
