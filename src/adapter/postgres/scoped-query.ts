import pg from 'pg';
import { DIRECTORY_ROLE } from './role-names.ts';
import type { Scope } from './scope.ts';

/** What a query of `pg` is to its client, which calls these message by message. The library's types show less of it than there is. */
type Inside = {
  name: string | undefined;
  text: string;
  /** Sends everything up to the Sync, at once. What is wrong with the query itself was found before. */
  prepare(connection: Wire): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Wire): void;
  handleError(error: Error, connection: Wire): void;
};

/** What a query has of its connection: by name, the statements that are on their way to Postgres and those that it has taken. */
type Wire = {
  readonly parsedStatements: { [name: string]: string | undefined };
  readonly submittedNamedStatements: { [name: string]: string | undefined };
  parse(statement: Statement): void;
  bind(portal: { readonly statement: string; readonly values: readonly string[] }): void;
  execute(portal: { readonly rows: number }): void;
};

type Statement = { readonly name: string; readonly text: string };
type Settled = (error: Error | null, result: pg.QueryResult<pg.QueryResultRow>) => void;
type Config = pg.QueryConfig<unknown[]>;

const Query = pg.Query as unknown as new (config: Config & { readonly queryMode: 'extended' }, settled: Settled) => Inside;

/** Prepared once a connection. What they set holds for the transaction they are in, and no longer. */
const ACCOUNTS: Statement = { name: 'scope_accounts', text: `SELECT set_config('app.account_id', $1, true)` };
const DIRECTORY: Statement = { name: 'scope_directory', text: `SELECT set_config('role', $1, true)` };

/**
 * A statement with its scope before it. Both go out together in front of one Sync: it costs no round trip, and to Postgres they are one
 * transaction, whose end takes the scope away again, however it comes.
 */
class ScopedQuery extends Query {
  readonly #scope: Statement;
  readonly #value: string;
  readonly #name: string | undefined;
  readonly #text: string;
  /** Until Postgres has done the first statement, its messages are about that one. */
  #isScoped = false;

  constructor(scope: Scope, config: Config, settled: Settled) {
    // The simple protocol would run the statement in a transaction of its own.
    super({ ...config, queryMode: 'extended' }, settled);
    this.#scope = scope === 'directory' ? DIRECTORY : ACCOUNTS;
    this.#value = scope === 'directory' ? DIRECTORY_ROLE : scope.accounts.join(',');
    this.#name = this.name;
    this.#text = this.text;
  }

  override prepare(connection: Wire): void {
    this.#sendScope(connection);
    super.prepare(connection);
    // By these the client takes down which statement Postgres has parsed.
    this.name = this.#scope.name;
    this.text = this.#scope.text;
  }

  override handleDataRow(message: unknown): void {
    if (this.#isScoped) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: Wire): void {
    if (this.#isScoped) super.handleCommandComplete(message, connection);
    this.#isScoped = true;
    this.name = this.#name;
    this.text = this.#text;
  }

  override handleError(error: Error, connection: Wire): void {
    // Postgres passes over what follows a failed statement: what it has not said to have parsed is to be sent again.
    for (const name of [this.#scope.name, this.#name]) {
      if (name !== undefined) delete connection.submittedNamedStatements[name];
    }
    super.handleError(error, connection);
  }

  #sendScope(connection: Wire): void {
    const { name, text } = this.#scope;
    if (connection.parsedStatements[name] === undefined && connection.submittedNamedStatements[name] === undefined) {
      connection.parse({ name, text });
      connection.submittedNamedStatements[name] = text;
    }
    connection.bind({ statement: name, values: [this.#value] });
    connection.execute({ rows: 0 });
  }
}

/**
 * Runs one statement within its scope. `Row` says which columns there are, not what is in them. The connection must be one of `openPool`,
 * and in no transaction. Throws errors of `pg`; the scope is gone then too.
 */
export const runScoped = <Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  scope: Scope,
  config: Config,
): Promise<pg.QueryResult<Row>> => {
  // Where nothing is set nothing of a tenant can be seen or written: it need not be said.
  if (scope !== 'directory' && scope.accounts.length === 0) return client.query<Row>(config);
  return new Promise((resolve, reject) => {
    const settled: Settled = (error, result) => (error === null ? resolve(result as pg.QueryResult<Row>) : reject(error));
    client.query(new ScopedQuery(scope, config, settled) as unknown as pg.Submittable);
  });
};
