/** What is at a path of members in a parsed answer, or undefined: the first step into an answer whose form is not known. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((here, member) => (isObject(here) && Object.hasOwn(here, member) ? here[member] : undefined), value);

const isObject = (value: unknown): value is { readonly [member: string]: unknown } => typeof value === 'object' && value !== null;
