// Codes of a process: its configuration, its start, its end, and bugs that stop it.
import { entry } from './entry.ts';

export const processCodes = {
  CONFIG_INVALID: entry(
    'fatal',
    'configuration',
    500,
    'Correct the settings that the message names. docs/configuration.md lists them.',
  ),
  TERMS_UNREADABLE: entry('fatal', 'configuration', 500, 'Correct the file that the message names.'),
  SETTING_UNKNOWN: entry('notice', 'configuration', 200, 'Correct the name of the variable, or unset it.'),
  UNSAFE_REFUSED: entry(
    'fatal',
    'configuration',
    500,
    'Unset the switch: it takes a guarantee away and is for tests only.',
  ),
  UNSAFE_UNKNOWN: entry('fatal', 'configuration', 500, 'Name a known switch in CORRIDOR_UNSAFE, or unset it.'),
  FAILPOINT: entry('transient-dependency', 'the process', 503, 'Unset the failpoint: it is for tests only.'),
  FAILPOINT_UNREADABLE: entry('fatal', 'configuration', 500, 'Correct CORRIDOR_FAILPOINTS.'),
  HOST_STARTED_TWICE: entry('fatal', 'the program', 500, 'Report it: a host is started once.'),
  CONTEXTS_MISSING: entry('fatal', 'the program', 500, 'Report it: `prepare` must answer with one context a record.'),
  OUTCOMES_MISSING: entry('fatal', 'the program', 500, 'Report it: a batch must be answered with one outcome an item.'),
  REPORT_OUT_OF_RANGE: entry('fatal', 'the program', 500, 'Report it: a sink reports a record that it was not given.'),
  LOOKING_AT_OUTPUTS: entry(
    'transient-dependency',
    'the process',
    503,
    'Wait: the stage reads what it has written, then goes on by itself.',
  ),
  RETRY_NOT_DUE: entry('notice', 'a partition', 200, 'Do nothing: the next retry is not due yet.'),
  DLQ_BREAKER_OPEN: entry(
    'fatal',
    'the process',
    500,
    'Find out why so many records fail before you start the stage again.',
  ),
  PROCESS_UNREACHABLE: entry(
    'transient-dependency',
    'the process',
    503,
    'See whether the process runs and can be reached at the address that was asked (CORRIDOR_HEALTH_URLS).',
  ),
  HEALTH_UNREADABLE: entry(
    'transient-dependency',
    'the process',
    502,
    'Check the address: something else than a process of Corridor listens there, or one of another release.',
  ),
  NO_PROGRESS: entry(
    'fatal',
    'the process',
    500,
    'Look at what the process waited for. It ends, so that it is started again.',
  ),
  EVENT_LOOP_WEDGED: entry(
    'fatal',
    'the process',
    500,
    'Report it: the event loop stood still, and the process was killed.',
  ),
  DRAIN_TIMED_OUT: entry(
    'notice',
    'the process',
    200,
    'Do nothing: what was not committed runs again. Raise CORRIDOR_DRAIN_DEADLINE_MS if it happens often.',
  ),
  ABORTED: entry('notice', 'the process', 200, 'Do nothing: the process was asked to stop.'),
  SIGTERM: entry('notice', 'the process', 200, 'Do nothing: the process was asked to stop.'),
  SIGINT: entry('notice', 'the process', 200, 'Do nothing: the process was asked to stop.'),
  STOPPING: entry(
    'poison',
    'the process',
    503,
    'Do nothing: the process was asked to stop, and the work goes on after its next start.',
  ),
  CHILD_FAILED: entry('fatal', 'the process', 500, 'Read the log that the message names.'),
} as const;
