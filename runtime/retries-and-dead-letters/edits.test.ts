// What operators edit of a letter is decided by its stage as they did, once, under their seal alone; the letter stays as it was.
import { describe, expect, it } from 'vitest';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { editText } from '../../processors/edits.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import { topology } from '../../processors/topology.ts';
import { accepted, evidence, following, requested } from '../../test/kit/events.ts';
import { append, input, type RunOptions, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryIntentClaims, memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { copyOf, replayOf } from '../../test/kit/replay.ts';
import { homePartition } from '../../topics/home-partition.ts';

const OWNER = 'screening';
const GOOD = 'invoice 42';
type Value = ReturnType<typeof accepted>;
const remittanceOf = ({ parties }: Pick<Value, 'parties'>) =>
  (parties as { 'corridor.Parties': { remittanceInformation: string | null } })['corridor.Parties']
    .remittanceInformation;

/** A stage that breaks on whatever has another remittance information; `waits` times it has it tried again first. */
function stage(waits = 0): { readonly processor: AnyProcessor; readonly seen: Value[] } {
  const seen: Value[] = [];
  let left = waits;
  const processor = {
    name: OWNER,
    edges: topology.screening,
    prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
    decide: ({ value }: { readonly value: Value }) => {
      seen.push(value);
      if (remittanceOf(value) !== GOOD)
        return { kind: 'dead-letter', cause: { code: 'REFUSED', detail: 'for a test' } };
      if (left-- > 0) return { kind: 'retry', cause: { code: 'REFUSED', detail: 'for a test' } };
      const { envelope, ...carried } = value;
      const next = { ...carried, envelope: following(envelope, 'transfer.screened'), screening: evidence() };
      return [{ to: 'transfer.screened', value: next }];
    },
  };
  return { processor: processor as unknown as AnyProcessor, seen };
}

const EDIT = editText([{ path: '/parties/remittanceInformation', value: GOOD }]);

async function withLetters(count: number) {
  const clock = new ManualClock();
  const codec = memoryCodec();
  const log = new MemoryLog({ partitions: 1, clock, manual: true });
  const claims = memoryReplayClaims();
  for (let i = 0; i < count; i++)
    append(log, codec, input('transfer.accepted', accepted({ transferId: `transfer-${i + 1_000}`, partitions: 1 })));
  const run = (processor: AnyProcessor, more: Partial<RunOptions> = {}) =>
    runProcessor(processor, {
      ...{ inputs: [], clock, codec, log, replayClaims: claims },
      breaker: { window: 1_000, maxRatio: 1, maxRun: 1_000 } as never,
      ...more,
    });
  await run(stage().processor);
  return { log, run, letters: () => log.records(`${OWNER}.dlq`, 0) };
}

const edited = (letter: LogRecord, edit = EDIT, replayId = 'r-1') => replayOf(letter, { owner: OWNER, replayId, edit });

describe('an edited letter', () => {
  it('is decided as it was edited, and carried on so; all else of it is the same', async () => {
    const { log, run, letters } = await withLetters(2);
    const [letter] = letters();
    log.append([edited(letter!)]);
    const result = await run(stage().processor);
    const [screened] = result.outputs('transfer.screened');
    const before = accepted({ transferId: 'transfer-1000', partitions: 1 });
    expect(screened!.value.instruction).toEqual(before.instruction);
    expect(screened!.value.parties).toEqual({
      'corridor.Parties': {
        ...(before.parties as { 'corridor.Parties': object })['corridor.Parties'],
        remittanceInformation: GOOD,
      },
    });
    expect(result.outputs('transfer.screened')).toHaveLength(1);
    const [row] = result.outputs('transfer.lifecycle').slice(-1);
    expect(row!.value).toMatchObject({ replayId: 'r-1', previousState: 'ACCEPTED' });
    // The letter stands there as it was.
    expect(letters()[0]).toEqual(letter);
  });

  it('is tried again as it was edited', async () => {
    const { log, run, letters } = await withLetters(1);
    log.append([edited(letters()[0]!)]);
    const { processor, seen } = stage(2);
    const result = await run(processor, { retry: [3, 0] });
    expect(seen.map(remittanceOf)).toEqual([GOOD, GOOD, GOOD]);
    expect(result.outputs('transfer.screened')).toHaveLength(1);
    expect(letters()).toHaveLength(1);
  });

  it('that fails again is a letter of the record as it was, and a replay of that is not edited', async () => {
    const { log, run, letters } = await withLetters(1);
    const [letter] = letters();
    log.append([edited(letter!, editText([{ path: '/parties/remittanceInformation', value: 'worse' }]))]);
    await run(stage().processor);
    const again = letters().at(-1)!;
    expect(letters()).toHaveLength(2);
    expect(again.value).toEqual(letter!.value);
    expect(again.headers['replay-edit']).toBeUndefined();
    const { processor, seen } = stage();
    log.append([replayOf(again, { owner: OWNER, replayId: 'r-2' })]);
    await run(processor);
    expect(seen.map(remittanceOf)).toEqual([null]);
  });

  it.each([
    ['is sent twice', (letter: LogRecord) => [edited(letter), edited(letter, EDIT, 'r-2')]],
    [
      'is sent as it is, and edited',
      (letter: LogRecord) => [replayOf(letter, { owner: OWNER, replayId: 'r' }), edited(letter)],
    ],
    ['is sent, and copied', (letter: LogRecord) => [edited(letter), edited(letter)]],
  ])('that %s is decided once', async (_, records) => {
    for (const apart of [false, true]) {
      const { log, run, letters } = await withLetters(1);
      const [one, two] = records(letters()[0]!);
      const { processor, seen } = stage();
      log.append([one!]);
      if (apart) await run(processor);
      log.append([two!]);
      await run(processor);
      expect(seen).toHaveLength(1);
    }
  });

  it.each(['before-handler', 'before-commit', 'after-commit'] as const)(
    'is decided once though its stage dies %s',
    async (point) => {
      const { log, run, letters } = await withLetters(5);
      log.append(letters().map((letter) => edited(letter)));
      let crashes = 3;
      const result = await run(stage().processor, {
        maxBatchRecords: 2,
        crash: (at) => (at === point && crashes-- > 0 ? 'crash' : undefined),
      });
      expect(result.crashes).toBe(3);
      const screened = result.outputs('transfer.screened');
      expect(screened.map(({ key }) => key)).toEqual([0, 1, 2, 3, 4].map((i) => `transfer-${1_000 + i}`));
      expect(screened.every(({ value }) => remittanceOf(value) === GOOD)).toBe(true);
      expect(letters()).toHaveLength(5);
    },
  );
});

describe('an edit', () => {
  const withHeaders = ({ headers, ...record }: OutputRecord, change: Record<string, string>): OutputRecord =>
    ({ ...record, headers: { ...headers, ...change } }) as OutputRecord;

  it('counts under the seal of operators alone, and so does its being none', async () => {
    const { log, run, letters } = await withLetters(1);
    const [letter] = letters();
    const plain = replayOf(letter!, { owner: OWNER, replayId: 'r' });
    const { 'replay-edit': _, ...stripped } = edited(letter!).headers;
    const forged = [
      withHeaders(plain, { 'replay-edit': EDIT }),
      withHeaders(edited(letter!), {
        'replay-edit': editText([{ path: '/parties/remittanceInformation', value: 'x' }]),
      }),
      { ...edited(letter!), headers: stripped },
      copyOf({
        ...letter!,
        topic: `${OWNER}.replay`,
        headers: { ...letter!.headers, 'replay-edit': Buffer.from(EDIT) },
      }),
    ];
    log.append(forged as OutputRecord[]);
    const { processor, seen } = stage();
    await run(processor);
    expect(seen).toEqual([]);
    expect(
      letters()
        .slice(1)
        .map(({ headers }) => String(headers['dlq-class'])),
    ).toEqual(Array(4).fill('unproven'));
    log.append([edited(letter!)]);
    expect((await run(stage().processor)).outputs('transfer.screened')).toHaveLength(1);
  });

  it.each([
    ['of an amount', editText([{ path: '/instruction/instructedAmount/minor', value: '1' }])],
    ['of an account', editText([{ path: '/parties/creditor/account/value', value: 'GB00' }])],
    ['of what its stage may not have edited', editText([{ path: '/purposeCode', value: 'SALA' }])],
    ['that hides something', editText([{ path: '/parties/remittanceInformation', value: 'a\u202eb' }])],
    ['that is none', '[{"op":"replace"'],
    ['that is an addition', '[{"op":"add","path":"/parties/remittanceInformation","value":"x"}]'],
  ])('%s is refused though operators sealed it, and nothing is decided', async (_, edit) => {
    const { log, run, letters } = await withLetters(1);
    log.append([edited(letters()[0]!, edit)]);
    const { processor, seen } = stage();
    const result = await run(processor);
    expect(seen).toEqual([]);
    expect(result.outputs('transfer.screened')).toHaveLength(0);
    expect(letters().map(({ headers }) => String(headers['dlq-error-code']))).toEqual(['REFUSED', 'EDIT_REFUSED']);
    expect(letters()[1]!.value).toEqual(letters()[0]!.value);
  });

  it('in a header that a producer wrote says nothing', async () => {
    const codec = memoryCodec();
    const clock = new ManualClock();
    const log = new MemoryLog({ partitions: 1, clock, manual: true });
    append(log, codec, input('transfer.accepted', accepted({ partitions: 1 }), { headers: { 'replay-edit': EDIT } }));
    const { processor, seen } = stage();
    await runProcessor(processor, { inputs: [], clock, codec, log });
    expect(seen.map(remittanceOf)).toEqual([null]);
    expect(log.records(`${OWNER}.dlq`, 0)[0]!.headers['replay-edit']).toBeUndefined();
  });
});

describe('an edited intent', () => {
  const AT = Date.UTC(2026, 0, 15, 9);

  it('is the transfer that its producer instructed: the claim is on what was said', async () => {
    const codec = memoryCodec();
    const clock = new ManualClock(AT);
    const log = new MemoryLog({ partitions: 1, clock, manual: true });
    const [claims, replayClaims] = [memoryIntentClaims(), memoryReplayClaims()];
    const intake = createIntake({
      ...{ claims, corridors: corridorBook(CORRIDORS), tokenKey: Buffer.alloc(16), clock: () => clock.now() },
      homePartitionOf: (transferId) => homePartition(transferId, 1),
    });
    const broken = { ...intake, decide: () => ({ kind: 'dead-letter', cause: { code: 'REFUSED', detail: 'x' } }) };
    const common = {
      inputs: [],
      codec,
      clock,
      log,
      replayClaims,
      breaker: { window: 9, maxRatio: 1, maxRun: 9 } as never,
    };
    append(log, codec, input('transfer.requested', requested({ at: AT })));
    // The id is claimed, and the code breaks on it.
    await runProcessor(broken as never, common);
    const [letter] = log.records('intake.dlq', 0);
    const edit = editText([
      { path: '/parties/remittanceInformation', value: GOOD },
      { path: '/purposeCode', value: 'SALA' },
    ]);
    log.append([replayOf(letter!, { owner: 'intake', replayId: 'r', edit })]);
    const result = await runProcessor(intake as never, common);
    const [made] = result.outputs('transfer.accepted');
    expect(made!.value.instruction.purposeCode).toBe('SALA');
    expect(remittanceOf(made!.value as never)).toBe(GOOD);
    expect(made!.value.instruction.originPosition).toMatch(/:0:0$/);
    // Said again, it is what was said before.
    append(log, codec, input('transfer.requested', requested({ at: AT })));
    const after = await runProcessor(intake as never, common);
    expect(after.outputs('transfer.accepted')).toHaveLength(1);
    expect(after.outputs('intent.duplicated')).toHaveLength(1);
    expect(after.outputs('intent.rejected')).toHaveLength(0);
  });

  it('is checked by intake as any other', async () => {
    const codec = memoryCodec();
    const clock = new ManualClock(AT);
    const log = new MemoryLog({ partitions: 1, clock, manual: true });
    const [claims, replayClaims] = [memoryIntentClaims(), memoryReplayClaims()];
    const intake = createIntake({
      ...{ claims, corridors: corridorBook(CORRIDORS), tokenKey: Buffer.alloc(16), clock: () => clock.now() },
      homePartitionOf: (transferId) => homePartition(transferId, 1),
    });
    const broken = { ...intake, decide: () => ({ kind: 'dead-letter', cause: { code: 'REFUSED', detail: 'x' } }) };
    const common = {
      inputs: [],
      codec,
      clock,
      log,
      replayClaims,
      breaker: { window: 9, maxRatio: 1, maxRun: 9 } as never,
    };
    append(log, codec, input('transfer.requested', requested({ at: AT })));
    await runProcessor(broken as never, common);
    const edit = editText([{ path: '/requestedExecutionDate', value: '2026-99-99' }]);
    log.append([replayOf(log.records('intake.dlq', 0)[0]!, { owner: 'intake', replayId: 'r', edit })]);
    const result = await runProcessor(intake as never, common);
    expect(result.outputs('transfer.accepted')).toHaveLength(0);
    expect(result.outputs('intent.rejected')).toHaveLength(0);
    const codes = log.records('intake.dlq', 0).map(({ headers }) => String(headers['dlq-error-code']));
    expect(codes).toEqual(['REFUSED', 'EDIT_REFUSED']);
  });
});
