// Failpoints of what people have done: of approvals, of what is written to the topic of controls, and of what sends letters
// again. The crash harness does not draw them: test/e2e/killed-acts dies at each; at those of
// policies no process was killed: operations/policies/activate.test.ts breaks off before and after the write.

export const ACT_FAILPOINTS = [
  /** It is asked for; who asked was not told. */
  'approvals.after-insert',
  /** Another person has let it through, or refused it; nothing has begun. */
  'approvals.after-decide',
  /** It is noted that it begins. */
  'approvals.after-begin',
  /** It is done; nobody has noted that. */
  'approvals.before-end',
  /** It is noted how it ended; who asked was not told. */
  'approvals.after-end',
  /** A control is sealed; it is not in the log. */
  'controls.before-publish',
  /** It is in the log, and holds; who acted was not told. */
  'controls.after-publish',
  /** A version of a policy is approved; it is not in the log. */
  'policies.before-publish',
  /** It is in the log, and counts; nobody has noted that it was done. */
  'policies.after-publish',
  /** Letters of a replay were looked at; none is sent. */
  'replays.before-send',
  /** They are sent; nobody has noted that. */
  'replays.after-send',
] as const;

export type ActFailpoint = (typeof ACT_FAILPOINTS)[number];
