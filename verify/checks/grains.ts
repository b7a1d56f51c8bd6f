// State, money and watermarks against the rows that they are made of: up to where their writer had committed at the cut. What is
// behind that is not there yet, and no finding.
import { movementsOf } from '../../domain/money/movements.ts';
import { compareRows, laterOf, type OrderedRow } from '../../domain/transfers/row-order.ts';
import { ANALYTICS } from '../../processors/topology.ts';
import type { TransferLifecycle, TransferMoney } from '../../schemas/types.generated.ts';
import { type Check, ofTopic, type Run } from '../check.ts';
import { digest } from '../digest.ts';
import type { FindingCode } from '../finding-codes.ts';
import { lifecycleDigest } from '../lifecycle-text.ts';
import { positionOf, type Seen } from '../transfer.ts';

const NAME = 'grains';
const LIFECYCLE = 'transfer.lifecycle';

/** What the log says of one transfer in its three grains. */
interface Facts {
  readonly partition: number;
  /** Digests of its rows. */
  readonly rows: Set<number>;
  /** The same of those that were not handled. */
  readonly rowsNotYet: Set<number>;
  /** Sequence and state of its rows. */
  readonly places: Set<string>;
  /** The latest of those that were handled. */
  latest: OrderedRow | undefined;
  /** The last record of its state. */
  state: { readonly row: OrderedRow; readonly digest: number; readonly offset: number } | undefined;
  /** Records of state that are no row, or may be one that was not read yet. */
  readonly states: { readonly digest: number; readonly place: string; readonly offset: number }[];
  /** Movements by digest: of rows that were handled, and of rows that were not. */
  readonly due: number[];
  readonly notYet: number[];
  readonly money: { readonly digest: number; readonly place: string; readonly offset: number }[];
}

const placeText = ({ sequence, state }: Pick<TransferLifecycle, 'sequence' | 'state'>) => `${sequence}/${state}`;
const orderOf = ({ eventId, sequence, state, occurredAt }: TransferLifecycle): OrderedRow => ({
  ...{ eventId, sequence, state, occurredAt },
});

/** All that a movement says, but by which version of the contract it was made. */
function moneyDigest(movement: Omit<TransferMoney, 'contractVersion'>): number {
  const { movementId, eventId, transferId, sequence, state, corridorId, producerId } = movement;
  const { role, code, currency, exponent, minor, occurredAt } = movement;
  const of = [movementId, eventId, transferId, sequence, state, corridorId, producerId];
  return digest([...of, role, code, currency, exponent, minor, occurredAt].map(String).join('\u001f'));
}

function moneyDigestsOf(row: TransferLifecycle): readonly number[] {
  const { eventId, transferId, sequence, state, corridorId, producerId, occurredAt } = row;
  const common = { eventId, transferId, sequence, state, corridorId, producerId, occurredAt };
  return movementsOf(row).map((movement) => moneyDigest({ ...common, ...movement }));
}

/** Claims of one partition, by the offset that they are of: until when the rows before it, and no others, are complete. */
class Claims {
  readonly #claims: { readonly offset: number; until: number }[] = [];
  #sorted = true;

  add(offset: number, until: number): void {
    this.#claims.push({ offset, until });
    this.#sorted = false;
  }

  /** Until when it was claimed that nothing comes, from this offset on; ms. */
  untilAt(offset: number): number {
    if (!this.#sorted) {
      this.#claims.sort((a, b) => a.offset - b.offset);
      let until = Number.NEGATIVE_INFINITY;
      for (const claim of this.#claims) {
        until = Math.max(until, claim.until);
        claim.until = until;
      }
      this.#sorted = true;
    }
    let [low, high] = [0, this.#claims.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#claims[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? Number.NEGATIVE_INFINITY : this.#claims[low - 1]!.until;
  }

  /** The highest offset below which all was claimed to be in the other grains. */
  get handled(): number {
    return Math.max(0, ...this.#claims.map(({ offset }) => offset));
  }
}

export function grains(): Check {
  const facts = new Map<string, Facts>();
  const claims = new Map<number, Claims>();
  return {
    name: NAME,
    proves:
      'The state of each transfer is its latest lifecycle row, each movement of money is there once as its row says, and no watermark claims what was not complete.',
    async batch(batch, run) {
      for (const seen of ofTopic(batch, 'analytics.watermark')) {
        const { topicId, partition, offset, completeUntil } = seen.value;
        if ((run.cut.topicIds.get(LIFECYCLE) ?? topicId) !== topicId) continue;
        const known = claims.get(partition) ?? new Claims();
        claims.set(partition, known);
        known.add(offset, completeUntil);
      }
      for (const seen of ofTopic(batch, LIFECYCLE)) {
        row(factsOf(facts, seen.value.transferId, seen.record.partition), seen, run);
        claimed(claims.get(seen.record.partition), seen, run);
      }
      for (const { value, record } of ofTopic(batch, 'transfer.state')) {
        const known = factsOf(facts, value.transferId, record.partition);
        const { offset } = record;
        const content = lifecycleDigest(value);
        known.states.push({ digest: content, place: placeText(value), offset });
        if (known.state === undefined || known.state.offset < offset)
          known.state = { row: orderOf(value), digest: content, offset };
      }
      for (const { value, record } of ofTopic(batch, 'transfer.money')) {
        const known = factsOf(facts, value.transferId, record.partition);
        known.money.push({ digest: moneyDigest(value), place: placeText(value), offset: record.offset });
      }
    },
    transfer({ id }, run) {
      const known = facts.get(id);
      if (known) judge(id, known, run);
      facts.delete(id);
    },
    partition(_, run) {
      for (const [id, known] of facts) judge(id, known, run);
      facts.clear();
    },
  };
}

function factsOf(facts: Map<string, Facts>, transferId: string, partition: number): Facts {
  const known = facts.get(transferId);
  if (known) return known;
  const made: Facts = {
    ...{ partition, rows: new Set(), rowsNotYet: new Set(), places: new Set(), latest: undefined, state: undefined },
    ...{ states: [], due: [], notYet: [], money: [] },
  };
  facts.set(transferId, made);
  return made;
}

function row(known: Facts, { value, record }: Seen<'transfer.lifecycle'>, run: Run): void {
  const content = lifecycleDigest(value);
  known.rows.add(content);
  known.places.add(placeText(value));
  const isHandled = run.cut.isHandled(ANALYTICS, LIFECYCLE, record.partition, record.offset);
  (isHandled ? known.due : known.notYet).push(...moneyDigestsOf(value));
  if (!isHandled) known.rowsNotYet.add(content);
  if (isHandled) known.latest = laterOf(known.latest, orderOf(value));
}

/** A row that came although its time was claimed, or that is claimed to be in the other grains and is not. */
function claimed(claims: Claims | undefined, { value, record }: Seen<'transfer.lifecycle'>, run: Run): void {
  if (claims === undefined) return;
  const { topic, partition, offset, timestamp } = record;
  const isMissing = offset < claims.handled && !run.cut.isHandled(ANALYTICS, LIFECYCLE, partition, offset);
  if (!isMissing && claims.untilAt(offset) < timestamp) return;
  const detail = isMissing
    ? 'a watermark claims that it is in state and money, and nobody has handled it'
    : `the broker took it at ${timestamp}, and until ${claims.untilAt(offset)} all was claimed to be there before it`;
  run.findings.add(NAME, {
    ...{ code: 'WATERMARK_FALSE', transferId: value.transferId, detail },
    position: positionOf(topic, partition, offset),
  });
}

function judge(transferId: string, known: Facts, run: Run): void {
  const { partition } = known;
  const say = (code: FindingCode, detail: string, topic: string, offset?: number) => {
    const position = offset === undefined ? {} : { position: positionOf(topic, partition, offset) };
    run.findings.add(NAME, { code, transferId, detail, ...position });
  };
  const sayLater = (code: FindingCode, detail: string) =>
    run.findings.defer(NAME, { code, transferId, detail }, { subject: transferId });
  /** From a checkpoint on, what matches no row may be of one of before, unless a row of its place was read. */
  const isFound = (digests: ReadonlySet<number>, { digest: content, place }: Facts['states'][number]) =>
    digests.has(content) || (run.continues && !known.places.has(place));

  const notYet = new Set(known.notYet);
  ahead('transfer.state', known.states, known.rowsNotYet);
  ahead('transfer.money', known.money, notYet);
  for (const state of known.states) {
    if (!isFound(known.rows, state)) say('STATE_UNFOUNDED', 'no row says this', 'transfer.state', state.offset);
  }
  if (known.latest !== undefined) {
    const isMark = known.latest.state === 'DEAD_LETTERED';
    // Of before the checkpoint there may be a later row that a mark does not stand over.
    if (known.state === undefined && !(run.continues && isMark))
      sayLater('STATE_MISSING', `nothing says that it is ${known.latest.state}`);
    if (known.state !== undefined && compareRows(known.state.row, known.latest) < 0)
      sayLater('STATE_BEHIND', `it is ${known.latest.state}, and stands as ${known.state.row.state}`);
  }
  const founded = new Set([...known.due, ...notYet]);
  const counts = new Map<number, number>();
  for (const movement of known.money) {
    counts.set(movement.digest, (counts.get(movement.digest) ?? 0) + 1);
    if (!isFound(founded, movement)) say('MONEY_UNFOUNDED', 'no row says this', 'transfer.money', movement.offset);
    if (counts.get(movement.digest) === 2)
      say('MONEY_REPEATED', 'it is there twice', 'transfer.money', movement.offset);
  }
  const missing = known.due.filter((content) => !counts.has(content)).length;
  if (missing > 0) sayLater('MONEY_MISSING', `${missing} movements that its rows tell of are not there`);

  /** What is of rows that the next run judges has to be read by it again. */
  function ahead(topic: string, records: Facts['states'], of: ReadonlySet<number>): void {
    const place = `${topic}/${partition}`;
    for (const { digest: content, offset } of records) {
      if (of.has(content)) run.grainsAhead.set(place, Math.min(offset, run.grainsAhead.get(place) ?? offset));
    }
  }
}
