import { z } from 'zod';
import { type Scope, scopes } from '../../access/permission.ts';

/** As the API key plugin keeps permissions: `{"accounts":["read","write"]}` for `accounts:read` and `accounts:write`. */
const permissions = z.record(z.string(), z.array(z.string()));

export const permissionsOf = (granted: readonly Scope[]): string => {
  const kept = new Map<string, string[]>();
  for (const scope of scopes.filter((each) => granted.includes(each))) {
    const [resource = '', action = ''] = scope.split(':');
    kept.set(resource, [...(kept.get(resource) ?? []), action]);
  }
  return JSON.stringify(Object.fromEntries(kept));
};

/** The scopes kept, in the order of the table; what this version does not know is not granted. Null when they cannot be read. */
export const scopesOf = (text: string | null): readonly Scope[] | null => {
  if (text === null) return [];
  const kept = permissions.safeParse(jsonOf(text));
  if (!kept.success) return null;
  const granted = new Set(
    Object.entries(kept.data).flatMap(([resource, actions]) => actions.map((each) => `${resource}:${each}`)),
  );
  return scopes.filter((scope) => granted.has(scope));
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
