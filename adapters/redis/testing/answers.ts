// What Redis 6.2.11 and 7.0.15 answered, word for word, when they were put into each of these modes; replies.int.test.ts puts
// the servers that are here into them again.

export type Family = 'six' | 'seven';
export interface Answer {
  readonly six: string;
  readonly seven: string;
  /** The code in it; undefined: it has none of its own. */
  readonly code: { readonly six: string | undefined; readonly seven: string | undefined };
}

/** Hashes of scripts differ with their text. */
export const shapeOf = (answer: string): string => answer.replace(/[0-9a-f]{40}/g, 'SHA');

export const ANSWERS: Readonly<Record<string, Answer>> = {
  OOM: {
    six: "OOM command not allowed when used memory > 'maxmemory'.",
    seven: "OOM command not allowed when used memory > 'maxmemory'.",
    code: { six: 'OOM', seven: 'OOM' },
  },
  'OOM in a script': {
    six: "ERR Error running script (call to f_872bc6701b4ac00ebb820e81652ffe2b4bc16f1b): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.",
    seven:
      "OOM command not allowed when used memory > 'maxmemory'. script: 872bc6701b4ac00ebb820e81652ffe2b4bc16f1b, on @user_script:1.",
    code: { six: 'OOM', seven: 'OOM' },
  },
  READONLY: {
    six: "READONLY You can't write against a read only replica.",
    seven: "READONLY You can't write against a read only replica.",
    code: { six: 'READONLY', seven: 'READONLY' },
  },
  'READONLY in a script': {
    six: "ERR Error running script (call to f_872bc6701b4ac00ebb820e81652ffe2b4bc16f1b): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.",
    seven:
      "READONLY You can't write against a read only replica. script: 872bc6701b4ac00ebb820e81652ffe2b4bc16f1b, on @user_script:1.",
    code: { six: 'READONLY', seven: 'READONLY' },
  },
  MISCONF: {
    six: 'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.',
    seven:
      "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
    code: { six: 'MISCONF', seven: 'MISCONF' },
  },
  'MISCONF in a script': {
    six: 'ERR Error running script (call to f_872bc6701b4ac00ebb820e81652ffe2b4bc16f1b): @user_script:1: @user_script: 1: -MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.',
    seven:
      "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error. script: 872bc6701b4ac00ebb820e81652ffe2b4bc16f1b, on @user_script:1.",
    code: { six: 'MISCONF', seven: 'MISCONF' },
  },
  NOREPLICAS: {
    six: 'NOREPLICAS Not enough good replicas to write.',
    seven: 'NOREPLICAS Not enough good replicas to write.',
    code: { six: 'NOREPLICAS', seven: 'NOREPLICAS' },
  },
  'NOREPLICAS in a script': {
    six: 'ERR Error running script (call to f_872bc6701b4ac00ebb820e81652ffe2b4bc16f1b): @user_script:1: @user_script: 1: -NOREPLICAS Not enough good replicas to write.',
    seven:
      'NOREPLICAS Not enough good replicas to write. script: 872bc6701b4ac00ebb820e81652ffe2b4bc16f1b, on @user_script:1.',
    code: { six: 'NOREPLICAS', seven: 'NOREPLICAS' },
  },
  MASTERDOWN: {
    six: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    seven: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    code: { six: 'MASTERDOWN', seven: 'MASTERDOWN' },
  },
  BUSY: {
    six: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    seven: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    code: { six: 'BUSY', seven: 'BUSY' },
  },
  UNKILLABLE: {
    six: 'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.',
    seven:
      'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.',
    code: { six: 'UNKILLABLE', seven: 'UNKILLABLE' },
  },
  LOADING: {
    six: 'LOADING Redis is loading the dataset in memory',
    seven: 'LOADING Redis is loading the dataset in memory',
    code: { six: 'LOADING', seven: 'LOADING' },
  },
  WRONGTYPE: {
    six: 'WRONGTYPE Operation against a key holding the wrong kind of value',
    seven: 'WRONGTYPE Operation against a key holding the wrong kind of value',
    code: { six: 'WRONGTYPE', seven: 'WRONGTYPE' },
  },
  'WRONGTYPE in a script': {
    six: 'ERR Error running script (call to f_d3c21d0c2b9ca22f82737626a27bcaf5d288f99f): @user_script:1: WRONGTYPE Operation against a key holding the wrong kind of value',
    seven:
      'WRONGTYPE Operation against a key holding the wrong kind of value script: d3c21d0c2b9ca22f82737626a27bcaf5d288f99f, on @user_script:1.',
    code: { six: 'WRONGTYPE', seven: 'WRONGTYPE' },
  },
  NOSCRIPT: {
    six: 'NOSCRIPT No matching script. Please use EVAL.',
    seven: 'NOSCRIPT No matching script. Please use EVAL.',
    code: { six: 'NOSCRIPT', seven: 'NOSCRIPT' },
  },
  'a mistake in a script': {
    six: 'ERR Error running script (call to f_e8f647a6e338d050a115f7d097171925636246d4): @user_script:1: user_script:1: attempt to perform arithmetic on a nil value',
    seven:
      'ERR user_script:1: attempt to perform arithmetic on a nil value script: e8f647a6e338d050a115f7d097171925636246d4, on @user_script:1.',
    code: { six: undefined, seven: 'ERR' },
  },
  'a command that there is not': {
    six: 'ERR unknown command `NOCOMMAND`, with args beginning with: `Anna`, ',
    seven: "ERR unknown command 'NOCOMMAND', with args beginning with: 'Anna' ",
    code: { six: 'ERR', seven: 'ERR' },
  },
  'ACL in a script': {
    six: "ERR Error running script (call to f_872bc6701b4ac00ebb820e81652ffe2b4bc16f1b): @user_script:1: @user_script: 1: The user executing the script can't run this command or subcommand",
    seven:
      "ERR The user executing the script can't run this command or subcommand script: 872bc6701b4ac00ebb820e81652ffe2b4bc16f1b, on @user_script:1.",
    code: { six: undefined, seven: 'ERR' },
  },
  NOPERM: {
    six: "NOPERM this user has no permissions to run the 'set' command or its subcommand",
    seven: "NOPERM this user has no permissions to run the 'set' command",
    code: { six: 'NOPERM', seven: 'NOPERM' },
  },
  NOAUTH: {
    six: 'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    seven:
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    code: { six: 'NOAUTH', seven: 'NOAUTH' },
  },
  WRONGPASS: {
    six: 'WRONGPASS invalid username-password pair or user is disabled.',
    seven: 'WRONGPASS invalid username-password pair or user is disabled.',
    code: { six: 'WRONGPASS', seven: 'WRONGPASS' },
  },
  EXECABORT: {
    six: 'EXECABORT Transaction discarded because of previous errors.',
    seven: 'EXECABORT Transaction discarded because of previous errors.',
    code: { six: 'EXECABORT', seven: 'EXECABORT' },
  },
  CLUSTERDOWN: {
    six: 'CLUSTERDOWN Hash slot not served',
    seven: 'CLUSTERDOWN Hash slot not served',
    code: { six: 'CLUSTERDOWN', seven: 'CLUSTERDOWN' },
  },
};
