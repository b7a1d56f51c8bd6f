// The order of a timeline. Transitions stand in the order of their sequence, which their stages gave, whatever clocks said. What
// is no transition (a dead letter, an intent sent again or refused) stands where it happened: by time, between transitions. Pure.

/** What orders an event. */
export interface Placed {
  /** Of the transition; a mark repeats that of the last transition before it; absent: it belongs to none. */
  readonly sequence?: number;
  readonly state?: string;
  /** ms since 1970 */
  readonly occurredAt: number | bigint;
}

const MARKS: ReadonlySet<string | undefined> = new Set(['DEAD_LETTERED']);
const isTransition = ({ sequence, state }: Placed): boolean => sequence !== undefined && !MARKS.has(state);
const timeOf = ({ occurredAt }: Placed): number => Number(occurredAt);

/** The events in the order in which they happened; those of one instant stay in the order in which they were given. */
export function inOrder<E extends Placed>(events: readonly E[]): readonly E[] {
  const transitions = events
    .filter(isTransition)
    .toSorted((a, b) => a.sequence! - b.sequence! || timeOf(a) - timeOf(b));
  const others = events.filter((event) => !isTransition(event)).toSorted((a, b) => timeOf(a) - timeOf(b));
  const placed = others.map((event) => ({ event, after: placeOf(event, transitions) }));
  return [
    ...placed.filter(({ after }) => after === 0).map(({ event }) => event),
    ...transitions.flatMap((transition, index) => [
      transition,
      ...placed.filter(({ after }) => after === index + 1).map(({ event }) => event),
    ]),
  ];
}

/** How many transitions stand before it: as many as happened by then, and for a mark never less than the one it repeats. */
function placeOf(event: Placed, transitions: readonly Placed[]): number {
  const byTime = transitions.findLastIndex((transition) => timeOf(transition) <= timeOf(event)) + 1;
  if (event.sequence === undefined) return byTime;
  const own = transitions.findLastIndex(({ sequence }) => sequence! <= event.sequence!) + 1;
  // A mark is about the transition that it repeats: one that came later than its successor is about nothing any more.
  return Math.max(own, byTime);
}
