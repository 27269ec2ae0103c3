/**
 * A file is named by what it is in the domain: a name that fits anything ends up holding everything.
 * `node scripts/check-file-names.mjs [ROOT]`
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

const root = process.argv[2] ?? join(import.meta.dirname, '..');
const places = ['src', 'projector', 'scripts', 'test'];

const refusals = [
  [/(^|[-.])(utils?|helpers?|managers?|common|misc)([-.]|$)/, 'says nothing: name it by what it does in the domain'],
  [/^index\.[cm]?[jt]s$/, 'is a barrel: import the file that has the thing'],
  [/-and-/, 'is two files'],
  [/[A-Z _]/, 'is not kebab-case'],
];

const faultsOf = (path) =>
  basename(path) === 'README.md'
    ? []
    : refusals.filter(([shape]) => shape.test(basename(path))).map(([, why]) => `${relative(root, path)} ${why}`);

const faults = places
  .map((place) => join(root, place))
  .filter((place) => existsSync(place))
  .flatMap((place) => readdirSync(place, { recursive: true }).map((name) => join(place, name)))
  .flatMap(faultsOf);

for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
