// Dependencies point one way: domain <- topics, schemas <- processors, sinks, payouts <- runtime <- cli, api.
const only = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from, pathNot: '\\.test\\.ts$' },
  to: { path: '^(?!node_modules)', pathNot: [...to, '^node_modules'], dependencyTypesNot: ['core', 'npm', 'npm-dev'] },
});

const CLIENTS =
  '^node_modules/(kafkajs|mongodb|ioredis|bullmq|undici|fastify|cockatiel|@kafkajs|@node-rs/crc32|testcontainers)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    only('domain-is-alone', '^domain/', ['^domain/'], 'The domain imports nothing from the rest.'),
    only('schemas', '^schemas/', ['^schemas/', '^topics/'], 'Schemas know the topics they are for, and nothing else.'),
    only('topics', '^topics/', ['^topics/', '^schemas/', '^domain/'], 'Topics know their records.'),
    only(
      'stages-see-ports',
      '^(processors|sinks|payouts)/',
      ['^(processors|sinks|payouts|topics|schemas|domain)/', '^runtime/ports/'],
      'Stages, sinks and payouts see the outside through ports.',
    ),
    only(
      'runtime',
      '^runtime/',
      ['^(runtime|processors|sinks|payouts|topics|schemas|domain)/'],
      'The runtime knows no client and no composition root.',
    ),
    {
      name: 'decide-is-pure',
      severity: 'error',
      comment: 'No I/O, no clock, no client in a decide function.',
      from: { path: '^(processors|payouts)/.*decide\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'clients-only-in-adapters',
      severity: 'error',
      comment: 'adapters/ is the only place that imports a client library.',
      from: {
        path: '^(domain|topics|schemas|processors|sinks|payouts|runtime|cli|api|feed|verify)/',
        pathNot: '\\.test\\.ts$',
      },
      to: { path: CLIENTS },
    },
    {
      name: 'adapters-only-in-composition-roots',
      severity: 'error',
      from: {
        path: '^(domain|topics|schemas|processors|sinks|payouts|runtime|feed|verify)/',
        pathNot: '\\.test\\.ts$',
      },
      to: { path: '^adapters/' },
    },
    {
      name: 'no-test-code-in-the-product',
      severity: 'error',
      from: {
        path: '^(domain|topics|schemas|processors|sinks|payouts|runtime|adapters|api|simulator|verify)/',
        pathNot: '\\.test\\.ts$|/testing/',
      },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: '^node_modules' },
    exclude: { path: '^(\\.corridor|infra/local/mongo-stand-in/(target|src)|bench/.*/(target|src/main))' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.cjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
