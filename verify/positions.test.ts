// The kept count of open positions, held against the log; and what a run says is open.
import { describe, expect, it } from 'vitest';
import type { FxPosition } from '../schemas/types.generated.ts';
import type { StoredPositionCount } from './ports.ts';
import { type Ending, History } from './testing/history.ts';
import { AT_ONCE } from './testing/plant.ts';
import { verify } from './verify.ts';

const ENDINGS: readonly Ending[] = ['completed', 'returned', 'requoted', 'over-limit', 'with-provider', 'held'];
const TOPIC = 'fx.position';

function historyOf() {
  const history = new History();
  for (const ending of ENDINGS) history.tell(ending);
  history.fillStores();
  return history;
}

/** What a count that is right holds up to a share of each partition. */
function countOf(history: History, share = 1): StoredPositionCount {
  const entries = history.entries.filter(({ topic }) => topic === TOPIC);
  const offsets = new Map<number, number>();
  for (const partition of [0, 1]) {
    const own = entries.filter((entry) => entry.partition === partition);
    const taken = own.slice(0, Math.ceil(own.length * share)).at(-1);
    offsets.set(partition, taken === undefined ? 0 : taken.offset + 1);
  }
  const open = new Map<string, bigint>();
  for (const { partition, offset, value } of entries) {
    if (offset >= offsets.get(partition)!) continue;
    const { sourceCurrency, sourceMinor, targetCurrency, targetMinor } = value as FxPosition;
    open.set(sourceCurrency, (open.get(sourceCurrency) ?? 0n) + sourceMinor);
    open.set(targetCurrency, (open.get(targetCurrency) ?? 0n) + targetMinor);
  }
  return { topicId: TOPIC, offsets, open, isWhole: true };
}

async function found(change: (count: StoredPositionCount) => StoredPositionCount | undefined, share = 1) {
  const history = historyOf();
  const count = change(countOf(history, share));
  const report = await verify({ ...history.sources(), positionCount: async () => count }, AT_ONCE);
  return report.findings.map(({ code, detail }) => `${code} ${detail}`);
}

describe('the kept count of open positions', () => {
  it.each([1, 0.5, 0])('is right up to wherever it came (%s of the log)', async (share) => {
    expect(await found((count) => count, share)).toEqual([]);
  });

  it('is nothing before there is one', async () => {
    expect(await found(() => undefined)).toEqual([]);
  });

  it('that somebody changed is found', async () => {
    const changed = await found(({ open, ...rest }) => ({ ...rest, open: new Map([...open, ['GBP', 1n]]) }));
    expect(changed).toEqual([expect.stringContaining('POSITION_COUNT_DIFFERS GBP: 1 minor units are open')]);
    const more = await found(({ open, ...rest }) => ({ ...rest, open: new Map([...open, ['USD', 1n]]) }));
    expect(more).toEqual([expect.stringContaining('POSITION_COUNT_DIFFERS USD')]);
  });

  it('is not compared where the log was not read up to there, or is another', async () => {
    const wrong = new Map([['GBP', 1n]]);
    expect(await found((count) => ({ ...count, open: wrong, isWhole: false }))).toEqual([]);
    expect(await found((count) => ({ ...count, open: wrong, offsets: new Map([[0, 1_000_000]]) }))).toEqual([]);
  });
});

it('says what is open by currency', async () => {
  const history = historyOf();
  const { totals } = await verify(history.sources(), AT_ONCE);
  const { open } = countOf(history);
  expect(open.get('GBP')).toBeGreaterThan(0n);
  expect(totals.currencies['GBP']!.open).toBe(open.get('GBP'));
  expect(totals.currencies['INR']!.open).toBe(open.get('INR'));
});
