// Codes of the local stack. Each error says its own cure beside.
import { entry } from './entry.ts';

export const localStackCodes = {
  JAVA_MISSING: entry('fatal', 'the local stack', 500, 'Install the Java that the message names.'),
  MAVEN_MISSING: entry('fatal', 'the local stack', 500, 'Install Maven.'),
  DOWNLOAD_FAILED: entry('fatal', 'the local stack', 500, 'Check the network and the Maven mirror, then try again.'),
  BUILD_FAILED: entry('fatal', 'the local stack', 500, 'Read the log of the build that the message names.'),
  NO_BINARY: entry('fatal', 'the local stack', 500, 'Install the server, or set its URL.'),
  DOCKER_UNAVAILABLE: entry('fatal', 'the local stack', 500, 'Start the Docker daemon, or run without Docker.'),
  CONTAINER_FAILED: entry('fatal', 'the local stack', 500, 'Read the log of the container.'),
  PORT_IN_USE: entry('fatal', 'the local stack', 500, 'Free the port, or set another one.'),
  STATE_CORRUPT: entry('fatal', 'the local stack', 500, 'Remove the state folder: the stack starts empty.'),
  STATE_MISMATCH: entry(
    'fatal',
    'the local stack',
    500,
    'Use the settings that the state was made with, or remove the state folder.',
  ),
  STATE_NOT_WRITABLE: entry(
    'fatal',
    'the local stack',
    500,
    'Give the right to write to the state folder, or name another one.',
  ),
  LOCK_TIMEOUT: entry('fatal', 'the local stack', 500, 'Wait until the other process has ended, then try again.'),
  SERVER_FAILED: entry('fatal', 'the local stack', 500, 'Read the log of the server that the message names.'),
  SERVER_TIMEOUT: entry(
    'fatal',
    'the local stack',
    500,
    'Read the log of the server. A slow machine may need a second start.',
  ),
  EXTERNAL_UNREACHABLE: entry(
    'fatal',
    'the local stack',
    500,
    'Start the server that the URL names, or unset the URL.',
  ),
  NOT_RUNNING: entry('fatal', 'the local stack', 500, 'Start the stack, then try again.'),
  NOT_OWNED: entry('fatal', 'the local stack', 500, 'Ask the process that owns the stack.'),
  BAD_SETTING: entry('fatal', 'the local stack', 500, 'Correct the variable that the message names.'),
} as const;
