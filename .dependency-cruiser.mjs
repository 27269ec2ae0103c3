/**
 * The arrows of the house, enforced: receipt <- stream <- access <- projection <- port <- command <- http <- main, and beside them
 * stream <- certificate, which reads receipts through their port and is for whoever shows or verifies them, and stream <- snapshot, which goes
 * on from what such receipts once gave.
 * "a <- b" reads "b may import a", and everything left of a too. What a place may import is listed, and the rest refused,
 * so that a folder nobody thought of is refused as well. test/architecture.test.ts breaks every rule once.
 */

/** Files that only tests load: they cross layers on purpose, and the product never imports them. */
const testCode = String.raw`^test/|\.(test|contract|fixture)\.ts$`;
const product = '^(src|projector)/';
const mains = '^(src|projector)/main[.]ts$';
/** Where parts are put together: the mains, and what `serve` is composed of. */
const productRoots = `${mains}|^src/service/`;

/** Imported by all; import nothing of ours but each other. */
const forAll = [
  'src/limits[.]ts',
  'src/caller-limits[.]ts',
  'src/domain-limits[.]ts',
  'src/replay-limits[.]ts',
  'src/result[.]ts',
];

const core = ['src/receipt/', 'src/stream/', 'src/access/', 'src/projection/'];
const reach = {
  receipt: ['src/receipt/'],
  stream: ['src/receipt/', 'src/stream/'],
  access: ['src/receipt/', 'src/stream/', 'src/access/'],
  projection: core,
  port: [...core, 'src/port/'],
  command: [...core, 'src/port/', 'src/command/'],
  certificate: ['src/receipt/', 'src/stream/', 'src/port/', 'src/certificate/'],
  snapshot: ['src/receipt/', 'src/stream/', 'src/port/', 'src/snapshot/'],
  http: [...core, 'src/port/', 'src/command/', 'src/certificate/', 'src/snapshot/', 'src/http/'],
  adapter: [...core, 'src/port/', 'src/adapter/'],
};

const anyOf = (places) => `^(${places.join('|')})`;
const ours = '^(src|projector|scripts|test)/';

const arrow = (name, from, places, comment) => ({
  name: `arrow-of-${name}`,
  severity: 'error',
  comment,
  from: { path: from, pathNot: [testCode, productRoots] },
  to: { path: ours, pathNot: anyOf([...places, ...forAll]) },
});

const arrows = [
  ...Object.entries(reach).map(([name, places]) =>
    arrow(name, `^src/${name}/`, places, `src/${name} may import ${places.join(' ')} and nothing else of ours`),
  ),
  arrow(
    'projector',
    '^projector/',
    [...reach.adapter, 'src/certificate/', 'src/snapshot/', 'projector/'],
    'the projector rebuilds and verifies without HTTP and without commands (its main.ts also reads src/config.ts)',
  ),
  {
    ...arrow(
      'projector-main',
      '^projector/main[.]ts$',
      [...reach.adapter, 'src/certificate/', 'src/snapshot/', 'projector/', 'src/config[.]ts'],
      '',
    ),
    comment: 'projector/main.ts wires the projector: it adds src/config.ts and nothing more',
    from: { path: '^projector/main[.]ts$' },
  },
  {
    name: 'arrow-of-shared-files',
    severity: 'error',
    comment: 'limits.ts and result.ts are below everything, and config.ts, over environment.ts, below both mains',
    from: { path: anyOf([...forAll, 'src/config[.]ts', 'src/environment[.]ts']) },
    to: { path: ours, pathNot: anyOf([...reach.port, ...forAll, 'src/environment[.]ts']) },
  },
];

/** Files beside the adapters' folders: what several of them need, and the one that opens a store by its URL. */
const storeUrl = '^src/adapter/store-url[.]ts$';
const besideAdapters = '^src/adapter/[^/]+[.]ts$';

const adapters = [
  {
    name: 'adapters-do-not-know-each-other',
    severity: 'error',
    comment: 'each adapter stands alone behind its port, beside what they share; store-url.ts opens them and they do not know it',
    from: { path: '^src/adapter/([^/]+)/', pathNot: testCode },
    to: { path: ['^src/adapter/[^/]+/', storeUrl], pathNot: '^src/adapter/$1/' },
  },
  {
    name: 'what-adapters-share-knows-none',
    severity: 'error',
    comment: 'a file that several adapters import would tie them together if it imported one of them',
    from: { path: besideAdapters, pathNot: [storeUrl, testCode] },
    to: { path: ['^src/adapter/[^/]+/', storeUrl] },
  },
  {
    name: 'adapter-tests-borrow-only-faults',
    severity: 'error',
    comment: 'the tests of an adapter may put the in-memory faults around it, and use no other adapter',
    from: { path: String.raw`^src/adapter/([^/]+)/.*\.(test|contract|fixture)\.ts$` },
    to: { path: ['^src/adapter/[^/]+/', storeUrl], pathNot: ['^src/adapter/$1/', '^src/adapter/memory/faults[.]ts$'] },
  },
  {
    name: 'store-url-opens-file-and-s3',
    severity: 'error',
    comment: 'a receipt store in production is a directory or a bucket',
    from: { path: storeUrl },
    to: { path: '^src/adapter/[^/]+/', pathNot: '^src/adapter/(file|s3)/' },
  },
  {
    name: 'faults-are-for-tests',
    severity: 'error',
    comment: 'a store that loses writes on purpose must not be reachable from the product',
    from: { path: product, pathNot: [testCode, '^src/adapter/memory/'] },
    to: { path: '^src/adapter/memory/faults[.]ts$' },
  },
  {
    name: 'config-is-for-main',
    severity: 'error',
    comment: 'the environment is parsed once, at the composition root; everyone else is given what it needs',
    from: { pathNot: [productRoots, testCode, '^src/config[.]ts$', '^scripts/bench/service-'] },
    to: { path: '^src/(config|environment)[.]ts$' },
  },
];

/** A third party's package has one door, so that replacing it is one folder's work. */
const door = (name, packages, places) => ({
  name: `${name}-has-one-door`,
  severity: 'error',
  comment: `only ${places.join(' and ')} may import it`,
  from: { path: product, pathNot: [anyOf(places), testCode] },
  to: { path: `(^|/)node_modules/(${packages.join('|')})(/|$)` },
});

const doors = [
  door('better-auth', ['better-auth', '@better-auth', 'better-call', '@better-fetch'], ['src/adapter/better-auth/']),
  door('aws-sdk', ['@aws-sdk', '@smithy'], ['src/adapter/s3/']),
  door('node-vault', ['node-vault'], ['src/adapter/vault/']),
  door('rate-limiter-flexible', ['rate-limiter-flexible'], ['src/adapter/rate-limiter/']),
  door('graphile-worker', ['graphile-worker', 'graphile-config'], ['src/adapter/graphile-worker/']),
  door(
    'pg',
    ['pg', 'pg-[^/]+'],
    ['src/adapter/postgres/', 'src/adapter/better-auth/', 'src/adapter/graphile-worker/', 'projector/'],
  ),
];

const hygiene = [
  {
    name: 'no-cycles',
    severity: 'error',
    comment: 'imports loop nowhere, types included: a loop means two files are one idea, or a third is missing',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphans',
    severity: 'error',
    comment: 'a file that neither imports nor is imported is forgotten',
    from: { orphan: true, path: product, pathNot: [productRoots, testCode, String.raw`\.d\.ts$`] },
    to: {},
  },
  {
    name: 'pure-core-does-no-io',
    severity: 'error',
    comment:
      'receipt, stream, access, projection, certificate and snapshot are functions of their arguments: no files, no sockets, no clock of their own',
    from: { path: anyOf([...core, 'src/certificate/', 'src/snapshot/']), pathNot: testCode },
    to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer|util)$' },
  },
  {
    name: 'no-dev-dependency-in-product',
    severity: 'error',
    comment: 'an installation without development packages must run; move the package to dependencies or drop the import',
    from: { path: product, pathNot: testCode },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
  },
  {
    name: 'no-undeclared-package',
    severity: 'error',
    comment: 'a package that is only there because another one needs it disappears without warning',
    from: { path: ours },
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'no-unresolvable',
    severity: 'error',
    comment: 'the imported file or package does not exist',
    from: { path: ours },
    to: { couldNotResolve: true },
  },
  {
    name: 'no-test-in-product',
    severity: 'error',
    comment: 'test code may be deleted without touching the product',
    from: { path: product, pathNot: testCode },
    to: { path: testCode },
  },
  {
    name: 'nobody-imports-main',
    severity: 'error',
    comment: 'main.ts starts things when loaded: run it, do not import it',
    from: {},
    to: { path: mains },
  },
];

export default {
  forbidden: [...arrows, ...adapters, ...doors, ...hygiene],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(data|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
