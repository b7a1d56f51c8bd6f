// Names that the cluster remembers, made here alone. They are frozen (names.test.ts): a changed group starts without offsets,
// a changed transactional id does not fence its predecessor.

/** Consumer group of a processor, sink or executor. */
export const groupId = (app: string, name: string) => `${app}.${name}`;

/** Transactional id for one input partition of a processor or sink. */
export const transactionalId = (app: string, name: string, topic: string, partition: number) =>
  `${app}.${name}.${topic}.${partition}`;

/** Transactional id of a replay of dead letters: one at a time sends it. */
export const replayTransactionalId = (app: string, replayId: string) => `${app}.replays.${replayId}`;
