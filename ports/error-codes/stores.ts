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
  REDIS_UNAVAILABLE: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Check that the Redis of the limits runs and can be reached.',
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
  LIMITS_REBUILT: entry(
    'notice',
    'a stored document',
    200,
    'Find out why Redis lost the ledger. It was rebuilt from the log.',
  ),
} as const;
