/** @throws when something does not hold */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
