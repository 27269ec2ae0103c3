/** An OpenAPI document as plain data. */
export type ApiDocument = { readonly [member: string]: unknown };
