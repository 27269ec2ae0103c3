/**
 * What commands and queries run as: bound by the tenant walls, owns nothing. Connections are the login's, and take a role on as they begin.
 */
export const APP_ROLE = 'pixpax_app';

/** Tells whose an id is: may read a few columns of every tenant's rows. Taken on for single statements. */
export const DIRECTORY_ROLE = 'pixpax_directory';

/** Makes, owns and fills the projection: migrations, rebuild, repair, drift, digests. */
export const PROJECTOR_ROLE = 'pixpax_projector';
