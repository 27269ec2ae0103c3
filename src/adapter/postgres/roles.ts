import pg from 'pg';
import { limits } from '../../limits.ts';
import { connectOutage, orOutage, unavailable } from './postgres-outage.ts';
import { APP_ROLE, DIRECTORY_ROLE, PROJECTOR_ROLE } from './role-names.ts';

const ROLES = [APP_ROLE, DIRECTORY_ROLE, PROJECTOR_ROLE] as const;

/**
 * What makes the roles of the ledger and lets `login` take them on, in this order, for whoever may create roles. Names are quoted. The
 * login inherits from the projector alone: by psql it sees and may drop what the program made, and is bound by no wall that would not bind
 * the projector too. Before version 16 Postgres knows no WITH: there the login inherits as its own INHERIT says.
 */
export const roleStatements = (login: string, database: string, serverVersion = 160_000): readonly string[] => {
  const quoted = pg.escapeIdentifier(login);
  const how = (role: string): string =>
    serverVersion < 160_000 ? '' : ` WITH SET TRUE, INHERIT ${role === PROJECTOR_ROLE ? 'TRUE' : 'FALSE'}`;
  return [
    ...ROLES.map((role) => `CREATE ROLE ${role} NOLOGIN`),
    ...ROLES.map((role) => `GRANT ${role} TO ${quoted}${how(role)}`),
    databaseStatement(database),
  ];
};

const databaseStatement = (database: string): string =>
  `GRANT CREATE, TEMPORARY ON DATABASE ${pg.escapeIdentifier(database)} TO ${PROJECTOR_ROLE}`;

/** What there is of them, and what a program from before the roles has left: schemas and tables that the login itself owns. */
type Standing = {
  readonly login: string;
  readonly database: string;
  readonly version: number;
  readonly roles: string[];
  /** Those that the login may take on. */
  readonly taken: string[];
  readonly mayCreate: boolean;
  readonly schemas: string[];
  readonly tables: string[];
};

/**
 * Makes the roles that the ledger's connections take on (`openPool`), lets the login of this address take them on, and hands over to the
 * projector what the login made itself. Does nothing, in one statement, where all is well; any number of processes may call it at once,
 * on any of a server's databases: roles are the server's. A crash leaves a part, which the next call completes. Throws `Outage`,
 * which says what an administrator is to run where the login may not.
 */
export const ensureRoles = async (url: string): Promise<void> => {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: limits.databaseConnectMs,
    statement_timeout: limits.databaseTimeoutMs,
    query_timeout: limits.databaseTimeoutMs,
    application_name: 'pixpax-ledger roles',
  });
  // A connection that breaks between two statements is the next one's error and must not end the process.
  client.on('error', () => undefined);
  try {
    await client.connect().catch((error: unknown) => {
      throw connectOutage(error);
    });
    await orOutage(() => complete(client));
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Roles are the server's, and so is the trouble with others who make them at this moment: what they did is looked at, and done on. */
const complete = async (client: pg.Client): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    const missing = missingOf(await standingOf(client));
    if (missing.length === 0) return;
    if (attempt > limits.roleAttempts) throw refused(missing);
    for (const statement of missing) {
      try {
        await client.query(statement);
      } catch (error) {
        if (isDenied(error)) throw refused(missing);
        if (!isOthersDoing(error)) throw error;
      }
    }
  }
};

/** Also in a database that was made after the roles: those outlive it. In the client's transaction, and then as the login. Throws as `pg`. */
export const letProjectorCreate = async (client: pg.ClientBase): Promise<void> => {
  await client.query('SET LOCAL ROLE NONE');
  const { mayCreate, database } = await standingOf(client);
  if (!mayCreate) await client.query(databaseStatement(database));
};

const missingOf = ({ login, database, version, roles, taken, mayCreate, schemas, tables }: Standing): readonly string[] => {
  const done = [...roles.map((role) => `CREATE ROLE ${role} `), ...taken.map((role) => `GRANT ${role} `)];
  if (mayCreate) done.push(databaseStatement(database));
  return [
    ...roleStatements(login, database, version).filter((statement) => !done.some((start) => statement.startsWith(start))),
    ...schemas.map((schema) => `ALTER SCHEMA ${schema} OWNER TO ${PROJECTOR_ROLE}`),
    ...tables.map((table) => `ALTER TABLE ${table} OWNER TO ${PROJECTOR_ROLE}`),
  ];
};

const isDenied = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '42501';

/** The role or the membership came to be meanwhile, or its row was changed under us (Postgres has no code of its own for that). */
const isOthersDoing = (error: unknown): boolean =>
  error instanceof pg.DatabaseError &&
  (['42710', '23505', '40P01'].includes(error.code ?? '') || error.message === 'tuple concurrently updated');

const refused = (missing: readonly string[]): Error =>
  unavailable(`this login may not make the roles of the ledger: let an administrator run ${missing.join('; ')};`);

const standingOf = async (client: pg.ClientBase): Promise<Standing> => {
  const { rows } = await client.query<Standing>(
    `WITH role AS (SELECT oid, rolname::text FROM pg_roles WHERE rolname = ANY ($1)),
       login AS (SELECT oid FROM pg_roles WHERE rolname = session_user),
       ours AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname ~ '^(ops|projection|projection_[a-z]+)$')
     SELECT session_user::text AS login, current_database()::text AS database,
       current_setting('server_version_num')::integer AS version,
       ARRAY(SELECT rolname FROM role) AS roles,
       ARRAY(SELECT rolname FROM role WHERE pg_has_role(session_user, oid,
         CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END)) AS taken,
       EXISTS (SELECT FROM role WHERE rolname = $2 AND has_database_privilege(oid, current_database(), 'CREATE')
         AND has_database_privilege(oid, current_database(), 'TEMPORARY')) AS "mayCreate",
       ARRAY(SELECT quote_ident(nspname) FROM ours JOIN login ON nspowner = login.oid) AS schemas,
       ARRAY(SELECT pg_class.oid::regclass::text FROM pg_class JOIN ours ON relnamespace = ours.oid JOIN login ON relowner = login.oid
         WHERE relkind IN ('r', 'p')) AS tables`,
    [ROLES, PROJECTOR_ROLE],
  );
  const [standing] = rows;
  if (standing === undefined) throw new TypeError('a select without a row');
  return standing;
};
