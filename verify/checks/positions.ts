// The open positions against the events that change them: one opens with each price, and at most one takes it back. And the kept
// count of them against the log.
import type { FxPosition } from '../../schemas/types.generated.ts';
import { type Check, ofTopic, type Run, type Skips } from '../check.ts';
import { isOfTopic } from '../cut.ts';
import type { StoredPositionCount } from '../ports.ts';
import { type EventFact, positionOf } from '../transfer.ts';

const NAME = 'positions';
const COUNT = 'position-count';
const TOPIC = 'fx.position';

const positions: Check = {
  name: NAME,
  proves:
    'Each price opens one position in the log, each end of a price takes it back once, and their sum by currency is the open exposure that follows from the transfers.',
  record(seen, run) {
    if (seen.topic !== TOPIC) return;
    add(seen.value, (currency, minor) => {
      run.totals.of(currency).open += minor;
    });
  },
  transfer({ id, partition, events, verifiedThrough }, run) {
    for (const event of events) {
      const { topic, sequence, seen, position, positionRecords = 0, offset } = event;
      if (sequence <= verifiedThrough) continue;
      const finding = { transferId: id, position: positionOf(topic, partition, offset) };
      const expected = position > 0 ? seen : 0;
      if (positionRecords !== expected) {
        const detail = `${topic} ${sequence} changes ${expected} positions, and ${TOPIC} has ${positionRecords} of it`;
        run.findings.defer(NAME, { ...finding, code: codeOf(positionRecords, expected), detail }, { subject: id });
      }
      if (positionRecords === 0 || expected === 0 || isRight(event)) continue;
      const detail = `the position of ${topic} ${sequence} says something else than the event`;
      run.findings.add(NAME, { ...finding, code: 'POSITION_DIFFERS', detail });
    }
  },
};

function codeOf(records: number, expected: number) {
  if (records === 0) return 'POSITION_MISSING';
  return expected === 0 ? 'POSITION_WITHOUT_PRICE' : 'POSITION_REPEATED';
}

const isRight = ({ position, positionRecordDigest, positionRecordsDiffer }: EventFact): boolean =>
  positionRecordsDiffer !== true && positionRecordDigest === position;

function add(
  { sourceCurrency, sourceMinor, ...rest }: FxPosition,
  to: (currency: string, minor: bigint) => void,
): void {
  to(sourceCurrency, sourceMinor);
  to(rest.targetCurrency, rest.targetMinor);
}

const needsCount: Skips = ({ positionCount }) => (positionCount ? undefined : 'no database was given');

/** Sums the log up to where the kept count says that it came. */
function positionCount(): Check {
  let asked: Promise<StoredPositionCount | undefined> | undefined;
  const open = new Map<string, bigint>();
  const stored = ({ sources }: Run) => {
    asked ??= sources.positionCount!();
    return asked;
  };
  return {
    name: COUNT,
    proves: 'The kept count of open positions is the sum of the log up to where it says.',
    skips: needsCount,
    async batch(batch, run) {
      const of = ofTopic(batch, TOPIC);
      if (of.length === 0) return;
      const offsets = (await stored(run))?.offsets;
      for (const { record, value } of of) {
        if (record.offset >= (offsets?.get(record.partition) ?? 0)) continue;
        add(value, (currency, minor) => open.set(currency, (open.get(currency) ?? 0n) + minor));
      }
    },
    async end(run) {
      const count = await stored(run);
      if (count === undefined || !isComparable(count, run)) return;
      for (const currency of new Set([...count.open.keys(), ...open.keys()])) {
        const [kept, right] = [count.open.get(currency) ?? 0n, open.get(currency) ?? 0n];
        if (kept === right) continue;
        const detail = `${currency}: ${kept} minor units are open by the kept count, ${right} by the log up to there`;
        run.findings.add(COUNT, { code: 'POSITION_COUNT_DIFFERS', detail });
      }
    },
  };
}

/** Where all that it counted was read in this run. */
function isComparable({ topicId, offsets, isWhole }: StoredPositionCount, { cut, continues }: Run): boolean {
  if (!isWhole || continues || !isOfTopic(cut, TOPIC, topicId)) return false;
  const ranges = cut.ranges.get(TOPIC) ?? [];
  return [...offsets].every(([partition, next]) =>
    ranges.some((range) => range.partition === partition && range.from === 0 && next <= range.to),
  );
}

export const positionChecks = (): readonly Check[] => [positions, positionCount()];
