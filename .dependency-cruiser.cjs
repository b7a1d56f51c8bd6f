// Who may import whom. A folder is named here with everything that it may import; an arrow that is not here is an error, and
// so is a folder that is not here. Tests of a folder may import what they need.
const LAYERS = {
  domain: [],
  topics: ['domain', 'schemas'],
  schemas: ['domain', 'topics'],
  ports: ['domain', 'topics', 'schemas'],
  screening: ['domain', 'topics', 'schemas', 'ports'],
  processors: ['domain', 'topics', 'schemas', 'ports', 'screening'],
  sinks: ['domain', 'topics', 'schemas', 'ports', 'screening', 'processors'],
  payouts: ['domain', 'topics', 'schemas', 'ports', 'screening', 'processors'],
  operations: ['domain', 'topics', 'schemas', 'ports', 'screening', 'processors', 'sinks', 'payouts'],
  runtime: ['domain', 'topics', 'schemas', 'ports', 'screening', 'processors', 'sinks', 'payouts'],
  verify: ['domain', 'topics', 'schemas', 'ports', 'screening', 'processors', 'sinks', 'payouts'],
  adapters: [
    ...['domain', 'topics', 'schemas', 'ports', 'screening', 'processors', 'sinks', 'payouts', 'operations', 'verify'],
  ],
};
const PRODUCT = Object.keys(LAYERS);
LAYERS.services = PRODUCT;
LAYERS.api = [...PRODUCT, 'services'];
LAYERS.cli = [...PRODUCT, 'services', 'api'];
/** What the product does not import: the development stack, samples, and what is made for them. */
const ASIDE = {
  'cli/dev': [...PRODUCT, 'services', 'api', 'cli', 'infra', 'simulator', 'samples'],
  samples: ['domain', 'topics', 'schemas', 'ports', 'screening', 'api'],
  infra: ['ports'],
  simulator: ['infra'],
  tools: ['infra'],
};
/** These measure and test, and may import everything. */
const FREE = ['bench', 'test', 'bin', 'docs'];
const KNOWN = [...PRODUCT, 'services', 'api', 'cli', ...Object.keys(ASIDE), ...FREE];

const TESTS = '\\.test\\.ts$|/testing/';
const folders = (names) => `^(${names.join('|')})/`;
const allows = ([from, to]) => ({
  name: `${from.replace('/', '-')}-imports`,
  severity: 'error',
  comment: `${from} imports nothing but ${to.join(', ') || 'itself'}.`,
  from: { path: folders([from]), pathNot: [TESTS, ...(from === 'cli' ? ['^cli/dev/'] : [])] },
  to: {
    pathNot: [folders([from, ...to]), '^node_modules'],
    dependencyTypesNot: ['core', 'npm', 'npm-dev'],
  },
});

const CLIENTS =
  '^node_modules/(kafkajs|mongodb|ioredis|bullmq|undici|cockatiel|jose|openid-client|@kafkajs|@node-rs/crc32|testcontainers)/';
/** Fastify is no client of anything: it is how api/ is reached, as commander is how cli/ is. */
const TRANSPORT = '^node_modules/(fastify|@fastify/[^/]+|fastify-type-provider-zod)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries({ ...LAYERS, ...ASIDE }).map(allows),
    {
      name: 'no-unknown-folder',
      severity: 'error',
      comment: 'Every folder says above what it may import.',
      from: { path: '/', pathNot: folders(KNOWN) },
      to: {},
    },
    {
      name: 'no-unknown-folder-of-lone-files',
      severity: 'error',
      comment: 'Nor does one whose files have no arrow at all go unseen.',
      from: { path: '/', pathNot: folders(KNOWN), orphan: true },
      to: {},
    },
    {
      name: 'a-service-has-no-development-stack',
      severity: 'error',
      comment: 'What `corridor run` and `corridor api` load reads its environment alone.',
      from: { path: '^cli/commands/(run|api)\\.ts$' },
      to: { path: folders(['infra', 'simulator', 'samples', 'cli/dev', ...FREE]), reachable: true },
    },
    {
      name: 'decide-is-pure',
      severity: 'error',
      comment: 'No I/O, no clock, no client in a decide function.',
      from: { path: '^(processors|payouts|operations)/.*decide\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'clients-only-in-adapters',
      severity: 'error',
      comment: 'adapters/ is the only place of the product that imports a client library.',
      from: { path: folders([...PRODUCT, 'services', 'api', 'cli', 'samples']), pathNot: ['^adapters/', TESTS] },
      to: { path: CLIENTS },
    },
    {
      name: 'http-server-only-in-api',
      severity: 'error',
      comment: 'Use-cases, stores and services know nothing of requests and answers: api/ alone does.',
      from: { path: folders([...PRODUCT, 'services', 'cli', 'samples']), pathNot: [TESTS] },
      to: { path: TRANSPORT },
    },
    {
      name: 'helpers-of-tests-stay-with-tests',
      severity: 'error',
      comment: 'Only tests import what is in a testing/ folder.',
      from: { pathNot: [TESTS, folders(FREE)] },
      to: { path: '/testing/', pathNot: '^node_modules' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: '^node_modules' },
    exclude: { path: '^(\\.corridor|tools/mongod-stand-in/(target|src)|bench/.*/(target|src/main))' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.cjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
