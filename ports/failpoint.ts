// Places between two side effects where a crash test may kill, freeze or fail the process. Whoever passes such a place names
// it in a list of its own, and `runtime/failpoints.ts` joins the lists: a name that is on none does not compile.

/** Called at each failpoint; may be slow, may throw, may never return. */
export type Failpoint<Name extends string> = (name: Name) => void | Promise<void>;

/** What stands in when there are none. */
export const NO_FAILPOINT: Failpoint<string> = () => {};
