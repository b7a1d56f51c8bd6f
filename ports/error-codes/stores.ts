// Codes of MongoDB, Redis and what is kept in them.
import { entry } from './entry.ts';

export const storeCodes = {
  MONGO_UNAVAILABLE: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Check that MongoDB runs, has a primary and can be reached.',
  ),
  MONGO_REFUSED: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Read the code of the server in the detail, and correct the server: it refuses the command, whatever the record.',
  ),
  MONGO_UNKNOWN: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Read the detail. Nothing is condemned for an error that is not known to be of a record.',
  ),
  MONGO_UNAUTHORISED: entry('fatal', 'configuration', 500, 'Check the user of MONGODB_URI and its roles.'),
  MONGO_CLIENT_BROKEN: entry(
    'fatal',
    'the program',
    500,
    'Do nothing: it is connected anew. Report it: the MongoDB driver had no answer while a fresh connection had one.',
  ),
  MONGO_URI_INVALID: entry('fatal', 'configuration', 500, 'Correct MONGODB_URI.'),
  MONGO_DOCUMENT_REFUSED: entry(
    'poison',
    'a record',
    422,
    'Look at the record in the dead letter: MongoDB refuses the document made of it.',
  ),
  STORES_NEWER: entry(
    'fatal',
    'the process',
    500,
    'Start the newer release: MongoDB holds documents that this one cannot read.',
  ),
  STORES_TOO_OLD: entry('fatal', 'the process', 500, 'Run `corridor migrate apply`, then start this again.'),
  STORES_OLDER: entry(
    'notice',
    'the process',
    200,
    'Run `corridor migrate apply` when it suits: this works until then.',
  ),
  STORES_SCHEMA_UNREADABLE: entry(
    'fatal',
    'a stored document',
    500,
    'Find out who wrote to `stores_schema`. Delete its document and run `corridor migrate apply`.',
  ),
  MIGRATION_RUNNING: entry(
    'invalid-request',
    'the caller',
    409,
    'Wait for the other process, or for its lock to expire.',
  ),
  MIGRATION_LOST: entry(
    'invalid-request',
    'the caller',
    409,
    'Look at `corridor migrate status`: another process goes on with the migration.',
  ),
  MIGRATION_UNFINISHED: entry(
    'invalid-request',
    'the caller',
    409,
    'Stop the processes of the release before, then run `corridor migrate apply` again.',
  ),
  REDIS_UNAVAILABLE: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Check that the Redis of the limits runs and can be reached, and that this process has its URL (CORRIDOR_REDIS_LIMITS_URL).',
  ),
  REDIS_QUEUE_UNAVAILABLE: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Check that the Redis of the queue runs and can be reached. Payouts go on from MongoDB.',
  ),
  REDIS_CLIENT_BROKEN: entry(
    'fatal',
    'the program',
    500,
    'Do nothing: it is connected anew. Report it: the Redis client had no answer while a fresh connection had one.',
  ),
  REDIS_UNAUTHORISED: entry('fatal', 'configuration', 500, 'Check the user, the password and the ACL of Redis.'),
  REDIS_REFUSED: entry('fatal', 'configuration', 500, 'Allow the INFO command for this user of Redis.'),
  REDIS_MAY_EVICT: entry('fatal', 'configuration', 500, 'Set `maxmemory-policy noeviction` on this Redis.'),
  LIMITS_NOT_HYDRATED: entry(
    'transient-dependency',
    'a stored document',
    503,
    'Wait: the limits stage rebuilds the ledger from the log.',
  ),
  LEDGER_NEWER: entry(
    'fatal',
    'the process',
    500,
    'Start the newer release: the limits ledger in Redis is of a form that this one cannot read.',
  ),
  LIMITS_HISTORY_SHORT: entry(
    'notice',
    'a stored document',
    200,
    'Take snapshots (`corridor limits snapshot`) more often than the topics of limits forget, or lengthen their retention: until the time that is named, these rules count less than was used.',
  ),
  LIMITS_REBUILT: entry(
    'notice',
    'a stored document',
    200,
    'Find out why Redis lost the ledger. It was rebuilt from the log.',
  ),
} as const;
