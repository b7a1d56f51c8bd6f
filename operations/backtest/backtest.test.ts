// A backtest over days that the real stages made: an unchanged build differs in nothing, and a changed list, limit, margin or
// rule differs in exactly the transfers that the test reckons for itself.
import { beforeAll, describe, expect, it } from 'vitest';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import { type LimitRuleSet, senderDayRule } from '../../domain/limits/limit-rules.ts';
import { BUILT_IN_TERMS, corridorTerms } from '../../domain/terms/corridor-terms.ts';
import { termBook } from '../../domain/terms/term-book.ts';
import { transferRulesFrom } from '../../processors/intake/rules/rule-set.ts';
import { bookOf } from '../../processors/limits/processor.ts';
import { fixedPolicy } from '../../processors/policies.ts';
import type { Parties, TransferPriced, TransferRequested } from '../../schemas/types.generated.ts';
import { screeningTerms } from '../../screening/configuration.ts';
import { openInProcessIndex } from '../../screening/index/in-process.ts';
import { referenceTo, versionIdOf } from '../../screening/versions/version.ts';
import { ScreenersByLists } from '../../services/backtest.ts';
import { BOOK, BUILT_IN_PRICES, transferRequested } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { listedPerson, nextVersion } from '../../test/kit/memory-screening.ts';
import { testRings } from '../../test/kit/rings.ts';
import { type BacktestDone, backtest, type StageSources } from './backtest.ts';
import type { Change } from './report.ts';
import { intakeJudge } from './stages/intake.ts';
import { pricingJudge } from './stages/pricing.ts';
import { screeningJudge } from './stages/screening.ts';
import { aDay, type Day, INTAKE } from './testing/day.ts';

const WAVES = 6;
const ODD_NAME = 'Zebulon Quackenbush';
const limitOf = (limitMinor: bigint): LimitRuleSet => ({
  ...{ name: 'house', version: '1' },
  rules: [senderDayRule({ ruleId: 'day', currency: 'GBP', limitMinor, action: 'reject', freedByReturn: true })],
});
const THEN = limitOf(400_000n);

/** One sender of many transfers, and a beneficiary whom nobody has listed. */
const more = (wave: number, now: number): readonly TransferRequested[] =>
  Array.from({ length: 8 }, (_, n) =>
    transferRequested({
      transferId: `more-${wave}-${n}-of-a-day`,
      at: now,
      debtor: { customerId: 'a-busy-sender' },
      ...(n % 4 === 1 ? { creditor: { name: ODD_NAME } } : {}),
      intent: { instructedAmount: { minor: BigInt(5_000 + 1_000 * n), currency: 'GBP' } },
    }),
  );

let day: Day;
beforeAll(async () => {
  day = await aDay({ waves: WAVES, perWave: 350, limits: THEN, more });
}, 300_000);

interface Other {
  readonly limits?: LimitRuleSet;
  readonly intake?: object;
  readonly pricing?: Partial<Parameters<typeof pricingJudge>[0]>;
  readonly lists?: Parameters<typeof screeningJudge>[0]['lists'];
  readonly period?: { readonly from: number; readonly to: number };
}

async function run(other: Other = {}): Promise<{ readonly done: BacktestDone; readonly changes: readonly Change[] }> {
  const { log, codec, receive, lists } = day;
  const screeners = new ScreenersByLists(lists, screeningTerms(), openInProcessIndex);
  const sources: StageSources = {
    reader: log.reader(),
    receive,
    judges: {
      INTAKE: intakeJudge({ ...INTAKE, ...other.intake }),
      SCREENING: screeningJudge({
        ...{ lists: other.lists ?? [], stages: KEYS.stages },
        screenerOf: (versions) => screeners.of(versions),
      }),
      FX_PRICING: pricingJudge({ corridors: BOOK, terms: BUILT_IN_PRICES, ...other.pricing }),
    },
    limits: { ...{ reader: log.reader(), codec, rings: testRings }, book: bookOf(other.limits ?? THEN, BOOK) },
  };
  const changes: Change[] = [];
  const { from, to } = other.period ?? day;
  const done = await backtest(sources, { from, to, onChange: (change) => changes.push(change) });
  await screeners.close();
  return { done, changes };
}

const stage = ({ stages }: BacktestDone, name: string) => stages.find((each) => each.stage === name)!;
const ids = (of: readonly { readonly transferId: string }[]) => of.map(({ transferId }) => transferId).toSorted();
const partiesOf = ({ parties }: { readonly parties: object }): Parties =>
  (parties as { readonly 'corridor.Parties': Parties })['corridor.Parties'];

describe('an unchanged build', () => {
  it('differs in nothing, at any stage', async () => {
    const { done, changes } = await run();
    expect(changes).toEqual([]);
    expect(done.changed).toBe(0);
    const accepted = (await day.events('transfer.accepted')).length;
    const refused = (await day.events('intent.rejected')).length;
    const [repeated, taken] = [
      (await day.events('intent.duplicated')).length,
      (await day.events('intent.rejected')).filter(({ reasons }) => reasons.some(({ code }) => code === 'DUPL')).length,
    ];
    expect(accepted).toBeGreaterThan(1_500);
    expect(stage(done, 'INTAKE')).toMatchObject({
      ...{ compared: accepted + refused - taken, open: 0, changedBefore: 0 },
      notComparable: { DUPLICATE: repeated, ID_TAKEN: taken },
    });
    expect(stage(done, 'SCREENING')).toMatchObject({ compared: accepted, open: 0 });
    const screened = (await day.events('transfer.screened')).length;
    expect(screened).toBeLessThan(accepted);
    expect(stage(done, 'FX_PRICING')).toMatchObject({ compared: screened, open: 0, notComparable: {} });
    expect(stage(done, 'LIMITS')).toMatchObject({ compared: screened, open: 0 });
    expect(done.unreadIntents).toBeGreaterThan(0);
    expect(done.undecodable).toBe(0);
  });

  it('takes a period by when the log took what was decided on', async () => {
    const period = { from: day.from + 600_000, to: day.from + 1_200_000 };
    const { done } = await run({ period });
    const inPeriod = day.log
      .all('transfer.accepted')
      .filter(({ timestamp: at }) => at >= period.from && at < period.to);
    expect(inPeriod.length).toBeGreaterThan(250);
    expect(stage(done, 'SCREENING').compared).toBe(inPeriod.length);
    expect(done.changed).toBe(0);
    const nothing = await run({ period: { from: day.to + 1, to: day.to + 2 } });
    expect(nothing.done).toMatchObject({ compared: 0, changed: 0 });
  });
});

describe('a change differs in exactly the transfers that it is about', () => {
  it('a name more on a list', async () => {
    const added = nextVersion(day.list, [...day.list.entities, listedPerson('X-1', ODD_NAME)], '2026-11-24');
    await day.lists.save(added, 'test', day.to);
    const lists = [referenceTo(await day.lists.head(versionIdOf(added)), 0)];
    const { done, changes } = await run({ lists });
    const expected = (await day.events('transfer.accepted')).filter(
      (event) => partiesOf(event).creditor.name === ODD_NAME,
    );
    expect(expected).toHaveLength(WAVES * 2);
    expect(ids(changes)).toEqual(ids(expected.map(({ envelope }) => envelope)));
    expect(new Set(changes.map((change) => change.would.codes.join(' ')))).toEqual(
      new Set(['CORRIDOR/X-1 POTENTIAL_MATCH RR04']),
    );
    expect(changes.every(({ was, would }) => was.verdict === 'PASSED' && would.verdict === 'HELD')).toBe(true);
    // They are counted where they differ first.
    expect(stage(done, 'FX_PRICING').changedBefore).toBe(expected.length);
    const [sum] = stage(done, 'SCREENING').changes;
    const money = expected.reduce((total, { instruction }) => total + instruction.instructedAmount.minor, 0n);
    expect(sum).toMatchObject({ transfers: expected.length, money: { GBP: money } });
  });

  it('a limit lowered', async () => {
    const lower = 40_000n;
    const { done, changes } = await run({ limits: limitOf(lower) });
    // In the order of the log; what is refused takes nothing.
    const priced = day.log
      .all('transfer.priced')
      .toSorted(
        (one, other) => one.timestamp - other.timestamp || one.partition - other.partition || one.offset - other.offset,
      );
    const decoded = await day.codec.decode(
      'transfer.priced',
      priced.map(({ value }) => value),
    );
    const used = new Map<string, bigint>();
    const refusedThen = new Set(
      (await day.events('transfer.rejected'))
        .filter((event) => event.stage === 'LIMITS')
        .map(({ envelope }) => envelope.transferId),
    );
    const expected: TransferPriced[] = [];
    for (const result of decoded) {
      const value = (result as { readonly value: TransferPriced }).value;
      if (value.instruction.sourceCurrency !== 'GBP') continue;
      const { debtorToken } = value.instruction;
      const before = used.get(debtorToken) ?? 0n;
      if (before + value.price.debit.minor <= lower) used.set(debtorToken, before + value.price.debit.minor);
      else if (!refusedThen.has(value.envelope.transferId)) expected.push(value);
    }
    expect(expected.length).toBeGreaterThan(100);
    expect(ids(changes)).toEqual(ids(expected.map(({ envelope }) => envelope)));
    const debits = expected.reduce((total, { price }) => total + price.debit.minor, 0n);
    expect(stage(done, 'LIMITS')).toMatchObject({
      ...{ changed: expected.length },
      changes: [{ was: { verdict: 'PASSED' }, would: { verdict: 'REJECTED', codes: ['day'] }, money: { GBP: debits } }],
    });
  });

  it('a margin changed', async () => {
    const { corridorId, bps } = { corridorId: 'GB-IN', bps: 25 };
    const dearer = CORRIDORS.map((each) =>
      each.id === corridorId ? { ...each, marginBps: each.marginBps + bps } : each,
    );
    const book = termBook(corridorTerms(dearer, BUILT_IN_TERMS), dearer, () => new Set());
    const { done, changes } = await run({ pricing: { terms: fixedPolicy(book), corridors: corridorBook(dearer) } });
    const expected = (await day.events('transfer.priced')).filter(
      ({ instruction }) => instruction.sourceCurrency === 'GBP' && instruction.targetCurrency === 'INR',
    );
    expect(expected.length).toBeGreaterThan(300);
    expect(ids(changes)).toEqual(ids(expected.map(({ envelope }) => envelope)));
    // Both currencies have two digits: the credit is the principal at the quoted rate less the margin, rounded down.
    const creditOf = ({ price }: TransferPriced, marginBps: number) => {
      const [whole, digits = ''] = price.legs[0]!.rate.split('.');
      const rate = BigInt(`${whole}${digits}`);
      return (price.principal.minor * rate * BigInt(10_000 - marginBps)) / (10n ** BigInt(digits.length) * 10_000n);
    };
    expect(expected.every((each) => each.price.legs.length === 1 && each.price.legs[0]!.base === 'GBP')).toBe(true);
    expect(expected.every((each) => creditOf(each, each.price.marginBps) === each.price.credit.minor)).toBe(true);
    const less = expected.reduce(
      (total, each) => total + creditOf(each, each.price.marginBps + bps) - each.price.credit.minor,
      0n,
    );
    const kinds = stage(done, 'FX_PRICING').changes;
    expect(kinds.every(({ would }) => would.verdict === 'REPRICED' && would.codes.includes('marginBps'))).toBe(true);
    expect(kinds.reduce((total, { difference }) => total + (difference['INR'] ?? 0n), 0n)).toBe(less);
    expect(kinds.every(({ difference }) => !('GBP' in difference))).toBe(true);
  });

  it('a rule of data more', async () => {
    const said = { authority: 'the house', link: 'https://example.com/rule', validFrom: '2026-01-01', validTo: null };
    const rule = {
      ...{ id: 'says-what-for', ...said, status: 'CONFIRMED', where: { corridors: ['EU-IN'] }, reason: 'RR04' },
      require: [[{ field: 'nationalPurpose' }]],
    };
    const transferRules = transferRulesFrom({
      ...{ name: 'house', version: '2', note: '', arrangements: [], required: [rule], verification: [] },
    });
    const { done, changes } = await run({ intake: { transferRules } });
    const expected = (await day.events('transfer.accepted')).filter(
      ({ instruction }) => instruction.sourceCurrency === 'EUR' && instruction.targetCurrency === 'INR',
    );
    expect(expected.length).toBeGreaterThan(200);
    const passed = changes.filter(({ was }) => was.verdict === 'PASSED');
    expect(ids(passed)).toEqual(ids(expected.map(({ envelope }) => envelope)));
    expect(passed.every(({ would }) => would.verdict === 'REJECTED' && would.codes.includes('says-what-for'))).toBe(
      true,
    );
    // What was refused for something else is refused for one reason more.
    const others = changes.filter(({ was }) => was.verdict !== 'PASSED');
    expect(others.every(({ would }) => would.codes.includes('says-what-for'))).toBe(true);
    expect(stage(done, 'LIMITS').changed + stage(done, 'SCREENING').changed).toBe(0);
  });

  it('a list is not what the lists of then were: a missing version is a fault, not a difference', async () => {
    const unknown = {
      ...referenceTo(await day.lists.head(versionIdOf(day.list)), 0),
      versionId: 'CORRIDOR-nobody-has',
    };
    await expect(run({ lists: [unknown] })).rejects.toMatchObject({ code: expect.stringMatching(/LIST/) });
  });
});

it('what nobody sealed is no decision, and an event without an outcome is open', async () => {
  const [event] = await day.events('transfer.accepted');
  const forged = {
    ...event!,
    envelope: { ...event!.envelope, transferId: 'forged-by-somebody', eventId: 'f'.repeat(36) },
  };
  const log = new MemoryLog({ partitions: 1 });
  const value = day.codec.encode('transfer.accepted', forged);
  log.append([{ topic: 'transfer.accepted', partition: 0, key: 'forged-by-somebody', value, headers: {} }], day.from);
  const whole = day;
  day = { ...whole, log };
  try {
    const { done } = await run();
    expect(done).toMatchObject({ compared: 0, unproven: 1 });
    expect(stage(done, 'SCREENING').open).toBe(0);
  } finally {
    day = whole;
  }
});
