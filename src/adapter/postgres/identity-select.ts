const identityColumns = ['identity_id', 'account_id', 'status', 'controller', 'public_key_id', 'public_key', 'key_generation'];

/** The columns of an identity in a select list, each named `{prefix}{column}`: what `identityOfRow` reads. */
export const identitySelect = (alias: string, prefix: string): string =>
  identityColumns.map((column) => `${alias}.${column} AS ${prefix}${column}`).join(', ');
