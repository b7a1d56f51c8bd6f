// oxlint-disable eslint/max-lines -- one table, which people read from its beginning to its end
// Every setting of Corridor. To add one, add it here: its type, its check, `corridor config` and docs/configuration.md
// follow (`npm run generate`).

import { ENVIRONMENTS } from '../../ports/environment.ts';
import { RETRY_TIERS } from '../../topics/recovery.ts';
import { LOG_LEVELS } from '../logs-and-metrics/logger.ts';
import {
  addresses,
  flag,
  integer,
  integers,
  keyRingText,
  milliseconds,
  name,
  networksText,
  oneOf,
  optionalSetting,
  pastInstant,
  publicKeysText,
  ratio,
  secretText,
  setting,
  signingKeysText,
  someOf,
  text,
  url,
  urls,
  visible,
} from './setting.ts';

/** What a process of the API serves: routes of producers and programs, routes of people who operate. */
export const API_FACES = ['producers', 'operators'] as const;

export const settings = {
  environment: setting('CORRIDOR_ENV', {
    doc: 'What this installation is for. `development` and `test` fill in secrets that production must set, and alone allow failpoints and unsafe switches.',
    schema: oneOf(...ENVIRONMENTS),
    default: 'production',
  }),
  appName: setting('CORRIDOR_APP_NAME', {
    doc: 'First part of every consumer group, transactional id and Redis key. Frozen: another name is another application, without offsets.',
    schema: name(),
    default: 'corridor',
  }),
  kafka: {
    brokers: setting('CORRIDOR_KAFKA_BROKERS', {
      doc: 'Brokers to start from: `host:port`, comma-separated.',
      schema: addresses(),
      default: 'localhost:9092',
    }),
    ssl: setting('CORRIDOR_KAFKA_SSL', { doc: 'Connect over TLS.', schema: flag(), default: 'false' }),
    sslCaFile: optionalSetting('CORRIDOR_KAFKA_SSL_CA_FILE', {
      doc: 'PEM file of the certificate authority; default: those that Node knows.',
      schema: text(),
    }),
    saslMechanism: optionalSetting('CORRIDOR_KAFKA_SASL_MECHANISM', {
      doc: 'How to log in to the brokers; absent: not at all.',
      schema: oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
    }),
    saslUsername: optionalSetting('CORRIDOR_KAFKA_SASL_USERNAME', { doc: 'User of the brokers.', schema: text() }),
    saslPassword: optionalSetting('CORRIDOR_KAFKA_SASL_PASSWORD', {
      doc: 'Password of that user.',
      schema: text(),
      secret: true,
    }),
    compression: setting('CORRIDOR_KAFKA_COMPRESSION', {
      doc: 'Compression of what is written.',
      schema: oneOf('none', 'gzip', 'zstd'),
      default: 'zstd',
    }),
    maxUnpackRatio: setting('CORRIDOR_KAFKA_MAX_UNPACK_RATIO', {
      doc: 'How many times the largest record that an intent may be (2 MiB) a compressed batch may unpack to. A batch that unpacks to more is one dead letter.',
      schema: integer(1, 512),
      default: '16',
    }),
    chainPartitions: setting('CORRIDOR_CHAIN_PARTITIONS', {
      doc: 'Partitions of every chain topic. May be raised, which affects new transfers only; never lowered.',
      schema: integer(1, 1_000),
      default: '4',
    }),
    replicationFactor: setting('CORRIDOR_REPLICATION_FACTOR', {
      doc: 'Copies of each partition. 3 in production; 1 only where there is one broker.',
      schema: integer(1, 9),
      default: '3',
      developmentDefault: '1',
    }),
    sessionTimeoutMs: setting('CORRIDOR_KAFKA_SESSION_TIMEOUT_MS', {
      doc: 'After this long without a heartbeat, in ms, the partitions of a process go to another. When a group changes, it waits three times as long for the batches that its members have in hand.',
      schema: milliseconds(1_000, 300_000),
      default: '10000',
    }),
    transactionTimeoutMs: setting('CORRIDOR_KAFKA_TRANSACTION_TIMEOUT_MS', {
      doc: 'How long the broker lets a transaction stay open, in ms; readers of its topics wait that long at most.',
      schema: milliseconds(1_000, 900_000),
      default: '10000',
    }),
  },
  registry: {
    url: setting('CORRIDOR_REGISTRY_URL', {
      doc: 'Schema registry with the Confluent API.',
      schema: url('http', 'https'),
      default: 'http://localhost:8081',
    }),
    username: optionalSetting('CORRIDOR_REGISTRY_USERNAME', { doc: 'User of the registry.', schema: text() }),
    password: optionalSetting('CORRIDOR_REGISTRY_PASSWORD', {
      doc: 'Password of that user.',
      schema: text(),
      secret: true,
    }),
  },
  mongo: {
    uri: setting('MONGODB_URI', {
      doc: 'MongoDB, as a connection string. It may hold a password and is therefore never printed. Whatever it says of read preference, read and write concern, journal and retries is ignored: all is read from the primary and written to a majority.',
      schema: url('mongodb', 'mongodb+srv'),
      default: 'mongodb://localhost:27017',
      secret: true,
    }),
    database: optionalSetting('CORRIDOR_MONGO_DATABASE', {
      doc: 'Database name. Without it: the one that MONGODB_URI names, or else (and where that is `admin`, `local` or `config`) `corridor`.',
      schema: text(),
    }),
  },
  redis: {
    limitsUrl: setting('CORRIDOR_REDIS_LIMITS_URL', {
      doc: 'Redis that holds limits. Never the one of the queue: a full queue must not stop limits.',
      schema: url('redis', 'rediss'),
      default: 'redis://localhost:6379',
      secret: true,
    }),
    queueUrl: setting('CORRIDOR_REDIS_QUEUE_URL', {
      doc: 'Redis that holds the timers of payouts.',
      schema: url('redis', 'rediss'),
      default: 'redis://localhost:6380',
      secret: true,
    }),
  },
  quotes: {
    offered: setting('CORRIDOR_QUOTES', {
      doc: 'Whether quotes may be asked for, at the API and on the command line. Set it once every process of intake, and all that reads the chain, knows quotes: an intake of before drops `quoteId`, and the transfer is priced at the market (docs/upgrading.md). Quotes that were given are honoured whatever this says.',
      schema: flag(),
      default: 'false',
      developmentDefault: 'true',
    }),
    maxUnused: setting('CORRIDOR_QUOTES_MAX_UNUSED', {
      doc: 'How many guaranteed quotes one producer may have that hold and that no transfer uses, and that wait to be answered; more are refused (`QUOTES_TOO_MANY`). Each is an option that costs the producer nothing. Of the API and of commands.',
      schema: integer(1, 1_000_000),
      default: '1000',
    }),
    voidBefore: optionalSetting('CORRIDOR_QUOTES_VOID_BEFORE', {
      doc: 'No transfer can use a quote that was given before this moment (`2026-12-01T09:30:00Z`; it is rejected, `QVOI`), unless it has claimed it before. Of every process that runs fx-pricing: to void quotes that a wrong rate or wrong terms have made, and after a restore of MongoDB (docs/operations.md).',
      schema: pastInstant(),
    }),
  },
  provider: {
    name: setting('CORRIDOR_PROVIDER_NAME', {
      doc: 'Name of the payout provider at CORRIDOR_PROVIDER_URL, which every payout keeps. Each provider has one, for ever: payouts of another name wait, and nothing of them is sent or asked here (docs/payouts.md).',
      schema: name(),
      default: 'simulator',
    }),
    url: setting('CORRIDOR_PROVIDER_URL', {
      doc: 'Payout provider.',
      schema: url('http', 'https'),
      default: 'http://localhost:8090',
    }),
    answers: setting('CORRIDOR_PROVIDER_ANSWERS', {
      doc: 'What an answer that says that money moves must repeat of the instruction: `complete` (transfer, end-to-end id, amount, beneficiary) or `minimal` (only what is there is compared, for a provider that cannot say more).',
      schema: oneOf('complete', 'minimal'),
      default: 'complete',
    }),
    token: optionalSetting('CORRIDOR_PROVIDER_TOKEN', {
      doc: 'Bearer token that goes with each request to the provider.',
      schema: visible(8, 4_096),
      secret: true,
    }),
    signingKey: optionalSetting('CORRIDOR_PROVIDER_SIGNING_KEY', {
      doc: 'Key under which each request to the provider is signed (HMAC-SHA-256, header Request-Signature; docs/payouts.md), as `id:secret`.',
      schema: keyRingText(),
      secret: true,
    }),
    tlsCertFile: optionalSetting('CORRIDOR_PROVIDER_TLS_CERT_FILE', {
      doc: 'PEM file of the certificate that we show the provider (mTLS). With CORRIDOR_PROVIDER_TLS_KEY_FILE.',
      schema: text(),
    }),
    tlsKeyFile: optionalSetting('CORRIDOR_PROVIDER_TLS_KEY_FILE', {
      doc: 'PEM file of the key of that certificate.',
      schema: text(),
    }),
    tlsCaFile: optionalSetting('CORRIDOR_PROVIDER_TLS_CA_FILE', {
      doc: "PEM file of the authorities that may have issued the provider's certificate; default: those of the system.",
      schema: text(),
    }),
    connectTimeoutMs: setting('CORRIDOR_PROVIDER_CONNECT_TIMEOUT_MS', {
      doc: 'How long connecting to the provider may take, in ms.',
      schema: milliseconds(100, 60_000),
      default: '2000',
    }),
    requestTimeoutMs: setting('CORRIDOR_PROVIDER_REQUEST_TIMEOUT_MS', {
      doc: 'How long a call may take, in ms. A submit that takes longer has an unknown outcome and is queried.',
      schema: milliseconds(100, 300_000),
      default: '5000',
    }),
  },
  payouts: {
    visibilityMs: setting('CORRIDOR_PROVIDER_VISIBILITY_MS', {
      doc: 'How late at most a query of the provider shows what it has accepted, in ms. A key that no query finds counts as dead this long after its expiry, by the clocks of the provider, of the process and of MongoDB.',
      schema: milliseconds(0, 3_600_000),
      default: '5000',
    }),
    maxClockSkewMs: setting('CORRIDOR_PROVIDER_CLOCK_SKEW_MS', {
      doc: 'An answer whose clock is further from ours than this, in ms, either way, proves nothing by that clock: it is told in health and metrics, and opens a case when it lasts.',
      schema: milliseconds(1_000, 600_000),
      default: '60000',
    }),
    maxInFlight: setting('CORRIDOR_PAYOUTS_IN_FLIGHT', {
      doc: 'Submits on their way to the provider at once, per process.',
      schema: integer(1, 10_000),
      default: '128',
    }),
    asksFirst: setting('CORRIDOR_PAYOUT_ASK_FIRST', {
      doc: 'After a restore of MongoDB alone: `true` has the provider asked about the first attempt of each payout that is new to the database, and has it cancelled, before anything is sent (docs/payouts.md).',
      schema: flag(),
      default: 'false',
    }),
    maxDeadAttempts: setting('CORRIDOR_PAYOUT_DEAD_ATTEMPTS', {
      doc: 'After so many dead attempts in the life of a transfer, whatever killed them, no further one begins and a person is asked (case ATTEMPTS_DIED).',
      schema: integer(1, 20),
      default: '5',
    }),
    returnPollsMs: setting('CORRIDOR_RETURN_POLLS_MS', {
      doc: 'How long after a payment the provider is asked whether the money came back, in ms, comma-separated and rising.',
      schema: integers(1),
      default: '60000,3600000,86400000,259200000',
    }),
  },
  batches: {
    maxRecords: setting('CORRIDOR_BATCH_RECORDS', {
      doc: 'Most records in one batch, that is in one transaction.',
      schema: integer(1, 2_000),
      default: '500',
    }),
    lingerMs: setting('CORRIDOR_LINGER_MS', {
      doc: 'How long a batch waits to fill when load is low, in ms. Transactions are what the broker pays for; 0 is fastest and dearest.',
      schema: milliseconds(0, 5_000),
      default: '20',
    }),
    projectionLingerMs: setting('CORRIDOR_PROJECTION_LINGER_MS', {
      doc: 'How long the transfer view and the event log gather transitions before they write, in ms. Those of one transfer that meet are one write of the view. Both are behind by that much; at rest nothing waits.',
      schema: milliseconds(0, 5_000),
      default: '1000',
    }),
  },
  recovery: {
    retryAttempts: setting('CORRIDOR_RETRY_ATTEMPTS', {
      doc: `Attempts in each retry tier (${RETRY_TIERS.map(({ suffix }) => suffix).join(', ')}), comma-separated. A record that fails once more becomes a dead letter.`,
      schema: integers(0),
      default: '3,3',
    }),
    breakerWindow: setting('CORRIDOR_DLQ_BREAKER_WINDOW', {
      doc: 'Records over which the ratios of dead letters are taken.',
      schema: integer(10, 1_000_000),
      default: '1000',
    }),
    breakerMaxRun: setting('CORRIDOR_DLQ_BREAKER_MAX_RUN', {
      doc: 'A processor stops when more dead letters than this would come in a row. Undecodable intents do not count.',
      schema: integer(1),
      default: '25',
    }),
    breakerMaxRatio: setting('CORRIDOR_DLQ_BREAKER_MAX_RATIO', {
      doc: 'A processor stops when more than this share of a window became dead letters. Undecodable intents do not count.',
      schema: ratio(),
      default: '0.1',
    }),
    breakerMaxOutsideRatio: setting('CORRIDOR_DLQ_BREAKER_MAX_OUTSIDE_RATIO', {
      doc: 'Intake stops when more than this share of a whole window of intents could not be decoded: a wrong registry looks like that.',
      schema: ratio(),
      default: '0.9',
    }),
  },
  watchdog: {
    stallAfterMs: setting('CORRIDOR_STALL_AFTER_MS', {
      doc: 'Records waiting and no progress for this long, in ms, without a declared pause: the process is not ready.',
      schema: milliseconds(1_000),
      default: '30000',
    }),
    exitAfterMs: setting('CORRIDOR_EXIT_AFTER_MS', {
      doc: 'The same for this long: the process ends, with exit code 75.',
      schema: milliseconds(1_000),
      default: '120000',
    }),
    eventLoopDeadlineMs: setting('CORRIDOR_EVENT_LOOP_DEADLINE_MS', {
      doc: 'The event loop stands still for this long, in ms: the process kills itself.',
      schema: milliseconds(1_000),
      default: '30000',
    }),
    drainDeadlineMs: setting('CORRIDOR_DRAIN_DEADLINE_MS', {
      doc: 'After SIGTERM or SIGINT, how long work in hand may take to end, in ms.',
      schema: milliseconds(0, 600_000),
      default: '15000',
    }),
  },
  health: {
    host: setting('CORRIDOR_HEALTH_HOST', {
      doc: 'Address on which health and metrics are served.',
      schema: text(),
      default: '127.0.0.1',
    }),
    port: setting('CORRIDOR_HEALTH_PORT', {
      doc: 'Port of the same; 0 takes any free one, which the log names.',
      schema: integer(0, 65_535),
      default: '0',
    }),
    urls: optionalSetting('CORRIDOR_HEALTH_URLS', {
      doc: 'Base URLs of the health servers of all processes, comma-separated: those that `corridor status` asks. Beside `npm start` they are found.',
      schema: urls('http', 'https'),
    }),
  },
  api: {
    host: setting('CORRIDOR_API_HOST', {
      doc: 'Address on which the API listens. TLS ends before it.',
      schema: text(),
      default: '127.0.0.1',
    }),
    port: setting('CORRIDOR_API_PORT', {
      doc: 'Port of the same; 0 takes any free one, which the log names.',
      schema: integer(0, 65_535),
      default: '8080',
    }),
    faces: setting('CORRIDOR_API_FACES', {
      doc: 'Which routes the process serves: `producers`, `operators` or both, comma-separated. Only the face of operators takes CORRIDOR_OPERATOR_KEYS: run it as a process of its own, on an internal network.',
      schema: someOf(...API_FACES),
      default: 'producers',
      developmentDefault: 'producers,operators',
    }),
    docsUrl: setting('CORRIDOR_API_DOCS_URL', {
      doc: 'Where the folder `docs` of this version can be read: the `type` of a problem leads there.',
      schema: text(),
      default: '/docs',
    }),
    requestsPerMinute: setting('CORRIDOR_API_REQUESTS_PER_MINUTE', {
      doc: 'Requests that one subject may send within a minute to each process of the API.',
      schema: integer(1, 10_000_000),
      default: '6000',
    }),
  },
  auth: {
    issuer: optionalSetting('CORRIDOR_AUTH_ISSUER', {
      doc: 'Issuer of the tokens that the API accepts, exactly as it stands in `iss`. With CORRIDOR_AUTH_AUDIENCE and CORRIDOR_AUTH_JWKS_URL.',
      schema: text(),
    }),
    audience: optionalSetting('CORRIDOR_AUTH_AUDIENCE', {
      doc: 'What a token must be meant for (`aud`).',
      schema: text(),
    }),
    jwksUrl: optionalSetting('CORRIDOR_AUTH_JWKS_URL', {
      doc: 'Where the issuer publishes its keys. They are kept for ten minutes, and asked for anew when a token bears another.',
      schema: url('http', 'https'),
    }),
    algorithm: setting('CORRIDOR_AUTH_ALGORITHM', {
      doc: 'The one algorithm of its signatures.',
      schema: oneOf('RS256', 'PS256', 'ES256', 'EdDSA'),
      default: 'RS256',
    }),
    rolesClaim: setting('CORRIDOR_AUTH_ROLES_CLAIM', {
      doc: 'Claim of a token that lists the roles (docs/security.md). Roles that Corridor does not know are passed over.',
      schema: visible(1, 200),
      default: 'roles',
    }),
    clockToleranceS: setting('CORRIDOR_AUTH_CLOCK_TOLERANCE_S', {
      doc: 'How far the clock of the issuer may be off, in seconds.',
      schema: integer(0, 300),
      default: '30',
    }),
    apiKeysFile: optionalSetting('CORRIDOR_AUTH_API_KEYS_FILE', {
      doc: 'JSON file of the API keys of producers, hashed (docs/api.md). Read again when it changes.',
      schema: text(),
    }),
    localKeyFile: optionalSetting('CORRIDOR_AUTH_LOCAL_KEY_FILE', {
      doc: 'For trials: file of the key under which `corridor token` makes tokens that the API accepts. Made when it is not there; refused in production.',
      schema: text(),
    }),
  },
  screening: {
    file: optionalSetting('CORRIDOR_SCREENING_FILE', {
      doc: 'JSON file of the screening terms (thresholds by list and corridor, weights, rails without a list check); default: those built in.',
      schema: text(),
    }),
    rescreenDays: setting('CORRIDOR_RESCREEN_DAYS', {
      doc: 'Customers whose last transfer is not older than this many days are screened again when a list version is activated. At most what the topics keep.',
      schema: integer(1, 3_650),
      default: '30',
    }),
  },
  logLevel: setting('CORRIDOR_LOG_LEVEL', {
    doc: 'Least severe lines that are logged.',
    schema: oneOf(...LOG_LEVELS),
    default: 'info',
  }),
  keys: {
    stages: setting('CORRIDOR_STAGE_KEYS', {
      doc: 'Keys under which stages seal what they hand on, as `id:secret`, comma-separated; the first seals, all are accepted. Whoever has one can release money: for stages, the payout executor, the sink of cases and `corridor verify` only.',
      schema: keyRingText(),
      developmentDefault: 'dev:development-only-stage-key-0000000000',
      secret: true,
    }),
    operators: setting('CORRIDOR_OPERATOR_KEYS', {
      doc: 'Keys under which commands of operators are sealed (decisions of cases, activated lists, replays), as above. For the programs through which operators act, and for those who obey them.',
      schema: keyRingText(),
      developmentDefault: 'dev:development-only-operator-key-000000',
      secret: true,
    }),
    executor: setting('CORRIDOR_EXECUTOR_KEYS', {
      doc: 'Keys under which the payout executor seals what became of a payout, as above. For the executor and settlement.',
      schema: keyRingText(),
      developmentDefault: 'dev:development-only-executor-key-000000',
      secret: true,
    }),
    feeds: setting('CORRIDOR_FEED_KEYS', {
      doc: 'Keys under which feeds seal market rates, as above; one whose id begins with a source and @ (ecb@2026) seals rates of that source alone, which a corridor with a quorum asks of each. For the feeds and pricing.',
      schema: keyRingText(),
      developmentDefault: 'dev:development-only-feed-key-0000000000',
      secret: true,
    }),
    audit: setting('CORRIDOR_AUDIT_KEYS', {
      doc: 'Keys under which programs seal what they write for the audit log, as above. For every program that lets people act, for the processes of replays and of payouts, and for the sequencer.',
      schema: keyRingText(),
      developmentDefault: 'dev:development-only-audit-key-000000000',
      secret: true,
    }),
    lifecycle: setting('CORRIDOR_LIFECYCLE_KEYS', {
      doc: 'Keys under which stages and the payout executor seal what tells of transfers (transfer.lifecycle, transfer.state, transfer.money, analytics.watermark, intent.rejected, intent.duplicated), as above. For them, `corridor verify`, the sinks events, transfer-view and webhooks, and the grains for analysts.',
      schema: keyRingText(),
      developmentDefault: 'dev:development-only-lifecycle-key-00000',
      secret: true,
    }),
  },
  lifecycleSealedFrom: optionalSetting('CORRIDOR_LIFECYCLE_SEALED_FROM', {
    doc: 'Since when all that tells of transfers is sealed, as `2026-12-01T09:30:00Z`: what the broker took before it is believed without a seal. For sinks and `corridor verify` of an installation that is older than these seals (docs/upgrading.md). Absent: nothing is believed without one.',
    schema: pastInstant(),
  }),
  producers: {
    file: optionalSetting('CORRIDOR_PRODUCERS_FILE', {
      doc: 'JSON file of the producers: whose ids begin how, and which corridors each may use (docs/producers.md). For intake, the API and dry runs. Absent: any producer may use any id.',
      schema: text(),
    }),
    keysFile: optionalSetting('CORRIDOR_PRODUCER_KEYS_FILE', {
      doc: 'JSON file of the keys under which producers seal what they write to Kafka: `{"acme": "id:secret,id:secret"}`. For intake alone.',
      schema: text(),
    }),
    intentKeys: optionalSetting('CORRIDOR_INTENT_KEYS', {
      doc: 'Keys under which the API seals which producer an intent is from, as above. For the API and intake. Absent: intake does not know who submits over HTTP.',
      schema: keyRingText(),
      developmentDefault: 'dev:development-only-intent-key-00000000',
      secret: true,
    }),
  },
  webhooks: {
    keys: optionalSetting('CORRIDOR_WEBHOOK_KEYS', {
      doc: 'Keys under which secrets of webhook endpoints are encrypted, and endpoints and deliveries sealed, as above. For the API of producers, the sink of webhooks and their sender. Absent: no endpoint can be registered.',
      schema: keyRingText(),
      developmentDefault: 'dev:development-only-webhook-key-0000000',
      secret: true,
    }),
    privateNetworks: optionalSetting('CORRIDOR_WEBHOOK_PRIVATE_NETWORKS', {
      doc: 'Networks that are not of the public internet and where webhook endpoints may be all the same, as `address/bits`, comma-separated. Link-local ones, where clouds give out credentials, never count. Absent: none.',
      schema: networksText(),
      developmentDefault: '127.0.0.0/8,::1/128',
    }),
    timeoutMs: setting('CORRIDOR_WEBHOOK_TIMEOUT_MS', {
      doc: 'How long an endpoint may take to answer, connecting included, in ms.',
      schema: milliseconds(100, 30_000),
      default: '10000',
    }),
    connections: setting('CORRIDOR_WEBHOOK_CONNECTIONS', {
      doc: 'Webhooks on their way at once, of one process.',
      schema: integer(1, 1_000),
      default: '64',
    }),
    perEndpoint: setting('CORRIDOR_WEBHOOK_CONNECTIONS_PER_ENDPOINT', {
      doc: 'The same to one endpoint. One that failed last gets a single one.',
      schema: integer(1, 100),
      default: '4',
    }),
  },
  audit: {
    signingKeys: optionalSetting('CORRIDOR_AUDIT_SIGNING_KEYS', {
      doc: 'Keys under which the sequencer signs checkpoints of the audit log (`corridor audit key --new ORIGIN` makes one), comma-separated: each signs. For `corridor run --audit` and nobody else.',
      schema: signingKeysText(),
      developmentDefault: 'PRIVATE+KEY+corridor.dev/audit+14ac4938+AWRldmVsb3BtZW50LW9ubHktYXVkaXQta2V5LTAwMDAw',
      secret: true,
    }),
    publicKeys: optionalSetting('CORRIDOR_AUDIT_PUBLIC_KEYS', {
      doc: 'Public keys of the audit log (`corridor audit key`), comma-separated: every one that it has had. Those of CORRIDOR_AUDIT_SIGNING_KEYS count by themselves.',
      schema: publicKeysText(),
      // So that the API and whoever verifies know the key of a sequencer that is tried beside them.
      developmentDefault: 'corridor.dev/audit+14ac4938+Ac7VuSkM9VXnVl5tr6VeRq/F2s/MNNkqtaO908y/8/mD',
    }),
  },
  analytics: {
    clockToleranceMs: setting('CORRIDOR_ANALYTICS_CLOCK_TOLERANCE_MS', {
      doc: 'How far the clocks of brokers, and of the processes of analytics, may be apart, in ms: a watermark stays so far behind, and a row that comes later still is told. For `corridor run --analytics`.',
      schema: milliseconds(1_000, 3_600_000),
      default: '10000',
    }),
    exportTo: optionalSetting('CORRIDOR_ANALYTICS_EXPORT_TO', {
      doc: 'Where `corridor run --sinks parquet` adds what was recorded, hour after hour: a folder, or `s3://bucket/prefix`. Of several processes that run it, whoever begins later is believed.',
      schema: text(),
    }),
    exportEveryMs: setting('CORRIDOR_ANALYTICS_EXPORT_EVERY_MS', {
      doc: 'How long a period of that export is, in ms: a file holds no more than one, and is there a little after its end.',
      schema: milliseconds(1_000, 86_400_000),
      default: '3600000',
    }),
  },
  objectStorage: {
    endpoint: optionalSetting('CORRIDOR_S3_ENDPOINT', {
      doc: 'URL of object storage that speaks S3, for exports to `s3://…`; default: that of AWS.',
      schema: url('http', 'https'),
    }),
    region: setting('CORRIDOR_S3_REGION', {
      doc: 'Region of the buckets.',
      schema: name(),
      default: 'us-east-1',
    }),
    accessKeyId: optionalSetting('CORRIDOR_S3_ACCESS_KEY_ID', {
      doc: 'Key by which exports may read, write, list and delete in the bucket.',
      schema: text(),
    }),
    secretAccessKey: optionalSetting('CORRIDOR_S3_SECRET_ACCESS_KEY', {
      doc: 'Its secret.',
      schema: text(),
      secret: true,
    }),
    sessionToken: optionalSetting('CORRIDOR_S3_SESSION_TOKEN', {
      doc: 'Its token, where it holds for some time alone.',
      schema: text(),
      secret: true,
    }),
  },
  tokenKey: setting('CORRIDOR_TOKEN_KEY', {
    doc: 'Key of the HMAC that makes tokens of customer ids. Limits and analytics know customers by token alone: another key separates them from their past.',
    schema: secretText(32),
    developmentDefault: 'development-only-token-key-0000000000',
    secret: true,
  }),
  cases: {
    policyFile: optionalSetting('CORRIDOR_CASE_POLICY_FILE', {
      doc: 'JSON file of what is asked of people who work on cases (when each is due, where a second person has to agree; docs/operations.md); default: what is built in.',
      schema: text(),
    }),
  },
  transfers: {
    corridorsFile: optionalSetting('CORRIDOR_CORRIDORS_FILE', {
      doc: 'JSON file of the corridors and their terms (margin, fees, price lock, age of rates); default: those built in.',
      schema: text(),
    }),
    termsFile: optionalSetting('CORRIDOR_TERMS_FILE', {
      doc: 'JSON file of what transfers cost and when their money arrives (docs/terms.md); `example`: the set of examples that is shipped; default: margins, fees and price lock of the corridors.',
      schema: text(),
    }),
    limitsFile: optionalSetting('CORRIDOR_LIMITS_FILE', {
      doc: 'JSON file of the limit rules (docs/limits.md); `example`: the set of examples that is shipped; default: those built in.',
      schema: text(),
    }),
    rulesFile: optionalSetting('CORRIDOR_TRANSFER_RULES_FILE', {
      doc: 'JSON file of what a transfer must say, by corridor, amount and date (docs/corridors.md); `example`: the set of examples that is shipped; `none`, or absent: nothing beside what each field needs.',
      schema: text(),
      developmentDefault: 'example',
    }),
    disclosureFile: optionalSetting('CORRIDOR_DISCLOSURE_RULES_FILE', {
      doc: 'JSON file of what a sender must be told of a transfer, and by whose rule (docs/terms.md); `example`: the set of examples that is shipped; `none`, or absent: no rule is looked at.',
      schema: text(),
      developmentDefault: 'example',
    }),
    holdExpiryMs: setting('CORRIDOR_HOLD_EXPIRY_MS', {
      doc: 'How long a hold waits for a decision before it lapses, in ms.',
      schema: milliseconds(60_000),
      default: '259200000',
    }),
  },
} as const;
