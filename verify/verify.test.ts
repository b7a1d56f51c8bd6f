// A history in agreement verifies, also while it is under way.
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../ports/log.ts';
import { AT } from '../test/kit/builders.ts';
import { NOT_IN_LIFECYCLE, UNLEGGED_ROW, UNTERMED_ROW } from '../test/kit/undeclared.ts';
import type { FixedLog } from './testing/fixed-log.ts';
import { ENDINGS, History } from './testing/history.ts';
import { AT_ONCE, cutAfter, drop, edit, entryOf, onlyDocument, repeat, verified } from './testing/plant.ts';
import { verify } from './verify.ts';

/** The same with prices of before these named their terms. */
function withoutTerms(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(withoutTerms);
  const fields = Object.entries(value).map(([name, inner]) => [name, withoutTerms(inner)] as const);
  return { ...Object.fromEntries(fields), ...('snapshotId' in value ? { terms: null } : {}) };
}

describe('a history in agreement', () => {
  it.each(ENDINGS)('verifies: %s', async (ending) => {
    const report = await verified([ending]);
    expect(report.findings).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.totals.inputs).toBe(ending === 'duplicated' ? 2 : 1);
  });

  it('verifies as a whole, counts everything once and balances', async () => {
    const report = await verified([...ENDINGS, ...ENDINGS]);
    expect(report.findings).toEqual([]);
    expect(report.totals.inputsBy).toEqual({
      accepted: 26,
      rejected: 2,
      duplicated: 2,
      deadLettered: 2,
      underWay: 0,
      lost: 0,
    });
    expect(report.totals.byState).toEqual({
      COMPLETED: 10,
      RETURNED: 4,
      REJECTED: 6,
      HELD: 2,
      DISPATCHED: 2,
      DEAD_LETTERED: 2,
    });
    const { GBP, INR } = report.totals.currencies;
    expect(GBP!.debited).toBe(14n * 100_000n);
    expect(GBP!.debited).toBe(GBP!.principal + GBP!.fees);
    expect(INR!.executed).toBe(INR!.credited);
    expect(INR!.returned).toBe((2n * INR!.credited) / 7n);
  });

  it('verifies with lifecycle records of before the second version of their contract, in the log and in the stores', async () => {
    const history = new History();
    for (const ending of ENDINGS) history.tell(ending);
    const { nationalPurpose: _, fundingMethod: __, arrangement: ___, ...later } = NOT_IN_LIFECYCLE;
    const { payeeVerification: _p, kycTier: _k, transferRules: _t, ...second } = later;
    for (const entry of history.entries) {
      if (entry.topic === 'transfer.lifecycle') entry.value = { ...entry.value, ...second };
    }
    history.fillStores();
    const report = await verify(history.sources(), AT_ONCE);
    expect(report.findings).toEqual([]);
    expect(report.ok).toBe(true);
  });

  it.each(['previousState', 'previousOccurredAt', 'corridorId', 'marginMinor'] as const)(
    'finds a record of the second version that lacks %s',
    async (field) => {
      const report = await verified(['completed'], ({ entries }) => {
        const entry = entries.findLast(({ topic }) => topic === 'transfer.lifecycle')!;
        expect(entry.value[field]).not.toBeNull();
        entry.value = { ...entry.value, [field]: null };
      });
      expect(report.codes).toHaveProperty('LIFECYCLE_DIFFERS');
    },
  );

  it.each([
    { marginMinor: 1n },
    { instructedMinor: 1n, fees: [], taxes: [] },
    { ...NOT_IN_LIFECYCLE, previousState: 'HELD' },
    { ...NOT_IN_LIFECYCLE, heldMs: 1 },
    { ...NOT_IN_LIFECYCLE, replayId: 'made-up' },
    { ...NOT_IN_LIFECYCLE, ended: true },
  ])('finds a record that says %o and hides it behind no version', async (said) => {
    const report = await verified(['completed'], ({ entries }) => {
      const entry = entries.findLast(({ topic }) => topic === 'transfer.lifecycle')!;
      const { nationalPurpose, fundingMethod, arrangement, payeeVerification, kycTier, transferRules } = entry.value;
      const first = { nationalPurpose, fundingMethod, arrangement, payeeVerification, kycTier, transferRules };
      entry.value = { ...entry.value, ...said, ...first, contractVersion: null };
    });
    expect(report.codes).toHaveProperty('LIFECYCLE_DIFFERS');
  });

  it('takes records of the second version, which say nothing of terms, and none that say something of them', async () => {
    const second = async (more: object) => {
      const history = new History();
      history.tell('completed');
      for (const entry of history.entries) {
        if (entry.topic === 'transfer.lifecycle')
          entry.value = { ...entry.value, ...UNTERMED_ROW, ...more, contractVersion: 2 };
        else entry.value = withoutTerms(entry.value) as typeof entry.value;
      }
      history.fillStores();
      return verify(history.sources(), AT_ONCE);
    };
    expect((await second({})).codes).not.toHaveProperty('LIFECYCLE_DIFFERS');
    for (const more of [{ valueDate: '2026-12-01' }, { termIds: ['made-up'] }, { chargedTaxesMinor: 1n }])
      expect((await second(more)).codes).toHaveProperty('LIFECYCLE_DIFFERS');
  });

  it('takes records of the third version, which say nothing of rates, and none that say something of them', async () => {
    const third = (more: object) =>
      verified(['completed', 'returned'], ({ entries }) => {
        for (const entry of entries) {
          if (entry.topic === 'transfer.lifecycle')
            entry.value = { ...entry.value, ...UNLEGGED_ROW, ...more, contractVersion: 3 };
        }
      });
    expect((await third({})).codes).not.toHaveProperty('LIFECYCLE_DIFFERS');
    const leg = { base: 'GBP', quote: 'INR', rate: '1', source: 'x', observedAt: 1 };
    for (const more of [{ pivotCurrency: 'EUR' }, { limitRulesVersion: 'made@up' }, { priceLegs: [leg] }])
      expect((await third(more)).codes).toHaveProperty('LIFECYCLE_DIFFERS');
  });

  it('takes records of the fourth version, which do not name the key of tokens, and none that name another one', async () => {
    const fourth = (more: object) =>
      verified(['completed', 'returned'], ({ entries }) => {
        for (const entry of entries) {
          if (entry.topic === 'transfer.lifecycle')
            entry.value = { ...entry.value, tokenKeyId: null, ...more, contractVersion: 4 };
        }
      });
    expect((await fourth({})).codes).not.toHaveProperty('LIFECYCLE_DIFFERS');
    for (const more of [{ tokenKeyId: '00000000' }, { limitRulesVersion: 'made@up' }])
      expect((await fourth(more)).codes).toHaveProperty('LIFECYCLE_DIFFERS');
  });

  it('says which terms nobody knows, once, as a warning, and holds nothing against prices of before they were named', async () => {
    const named = (change: (price: { terms: { set: string } | null }) => void) =>
      verified(['completed', 'returned'], ({ entries }) => {
        for (const { topic, value } of entries) {
          if (topic === 'transfer.priced')
            change((value as never as { price: { terms: { set: string } | null } }).price);
        }
      });
    const strange = await named(({ terms }) => {
      terms!.set = 'lost@1';
    });
    expect(strange.findings.filter(({ check }) => check === 'terms')).toMatchObject([
      { code: 'TERMS_UNKNOWN', severity: 'warning', detail: 'prices name lost@1, which is not known here' },
    ]);
    const before = await named((price) => {
      price.terms = null;
    });
    expect(before.findings.filter(({ check }) => check === 'terms')).toEqual([]);
  });

  it('is the same read in many passes', async () => {
    const options = { ...AT_ONCE, maxTransfersHeld: 3 };
    const report = await verified([...ENDINGS, ...ENDINGS], undefined, undefined, options);
    expect(report.findings).toEqual([]);
    expect(report.totals.transfers).toBe(26);
  });

  it('says which checks it could not run', async () => {
    const history = new History();
    history.tell('completed');
    const { log, codec, app, limitRules } = history.sources();
    const report = await verify({ log, codec, app, limitRules }, AT_ONCE);
    expect(report.ok).toBe(true);
    expect(report.checks.filter(({ skipped }) => skipped).map(({ check }) => check)).toEqual(
      expect.arrayContaining(['provider', 'event-log', 'limits', 'payouts']),
    );
  });
});

describe('what is under way is no finding', () => {
  const unhandled = (owner: string, topic: string) => (sources: { fixed: FixedLog }) => {
    for (const partition of [0, 1]) sources.fixed.commit(owner, topic, partition, 0);
  };

  it('an input that intake has not got to', async () => {
    const report = await verified(
      ['completed'],
      repeat('transfer.requested'),
      unhandled('intake', 'transfer.requested'),
    );
    expect(report.findings).toEqual([]);
    expect(report.totals.inputsBy).toMatchObject({ accepted: 1, underWay: 1, lost: 0 });
  });

  it('an input that waits for another try', async () => {
    const waits = (history: History) => {
      const { partition, key, offset } = entryOf(history, 'transfer.requested');
      drop('transfer.accepted')(history);
      cutAfter('transfer.requested')(history);
      history.append('intake.retry.5s', partition, {
        key,
        headers: {
          'source-topic': 'transfer.requested',
          'source-partition': String(partition),
          'source-offset': String(offset),
        },
      });
      for (const store of Object.values(history.stores)) store.byId.clear();
      history.limits.reservations.clear();
      history.limits.buckets.clear();
      history.provider.length = 0;
    };
    const report = await verified(['completed'], waits, unhandled('intake', 'intake.retry.5s'));
    expect(report.findings).toEqual([]);
    expect(report.totals.inputsBy).toMatchObject({ underWay: 1 });
  });

  it('a transfer that its next stage has not got to, and a sink that is behind', async () => {
    const plant = (history: History) => {
      cutAfter('transfer.screened')(history);
      for (const store of Object.values(history.stores)) store.byId.clear();
      history.fillStores();
      history.stores.intentClaims.put(claimOfFirst());
      history.limits.reservations.clear();
      history.limits.buckets.clear();
      history.provider.length = 0;
      history.stores.transfers.byId.clear();
    };
    const report = await verified(['completed'], plant, (sources) => {
      unhandled('fx-pricing', 'transfer.screened')(sources);
      unhandled('sink-transfer-view', 'transfer.lifecycle')(sources);
    });
    expect(report.findings).toEqual([]);
    expect(report.totals.inFlight).toBe(1);
  });

  it('a store that is ahead of the cut, as the log after it says', async () => {
    const history = new History();
    const id = history.tell('completed');
    history.fillStores();
    const sources = history.sources();
    edit(history.stores.transfers, { version: 40 });
    const { fixed } = sources;
    const reader = sources.log.reader();
    // The transfer moves on as soon as the ends were taken.
    let asked = 0;
    const offsets = async (topics: readonly string[]) => {
      const ranges = await reader.offsets(topics);
      if (++asked === 3) {
        const partition = history.entries[0]!.partition;
        const offset = fixed.end('transfer.lifecycle', partition);
        const key = Buffer.from(id);
        fixed.put({ topic: 'transfer.lifecycle', partition, offset, key, value: null, headers: {}, timestamp: AT });
      }
      return ranges;
    };
    const log = { ...sources.log, reader: () => ({ ...reader, offsets }) };
    const report = await verify({ ...sources, log }, AT_ONCE);
    expect(report.findings).toEqual([]);
  });

  it('an input whose end an open transaction hid from the cut, as the log after it says', async () => {
    const history = new History();
    history.tell('duplicated');
    history.fillStores();
    const sources = history.sources();
    const { fixed } = sources;
    const { topic, partition, offset } = entryOf(history, 'intent.duplicated');
    const reader = sources.log.reader();
    let hidden: LogRecord | undefined;
    await reader.read([{ topic, partition, from: offset, to: offset + 1 }], ({ records }) => {
      hidden = records[0];
    });
    fixed.drop(topic, partition, offset);
    let asked = 0;
    const offsets = async (topics: readonly string[]) => {
      const ranges = await reader.offsets(topics);
      if (++asked === 3) fixed.put({ ...hidden!, offset: fixed.end(topic, partition) });
      return ranges;
    };
    const log = { ...sources.log, reader: () => ({ ...reader, offsets }) };
    const report = await verify({ ...sources, log }, AT_ONCE);
    expect(report.findings).toEqual([]);
  });
});

/** The claim that the first story of any history makes. */
function claimOfFirst() {
  const other = new History();
  other.tell('completed');
  return onlyDocument(other.stores.intentClaims)[1];
}
