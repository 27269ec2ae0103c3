/** A JSON value as RFC 8259 has it; numbers are IEEE 754 doubles as RFC 8785 demands. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object with members in any order. */
export type JsonObject = { readonly [member: string]: Json };

/** True for a plain JSON object; false for arrays and null. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
