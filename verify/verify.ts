// Proves from the log and the provider's ledger that no money was lost or paid twice, and that every store says so too.
//
// One chain partition at a time: everything of a transfer stands in its home partition, so memory holds the transfers of
// one partition (or of a share of it), never those of the whole log.
import { CodedError } from '../ports/fault.ts';
import type { PartitionRange } from '../ports/log.ts';
import { ANALYTICS } from '../processors/topology.ts';
import { ClaimBooks, claimFact } from './attempt-claims.ts';
import { staysOpen, trimmed } from './carry-over.ts';
import type { Check, Run } from './check.ts';
import { type Checkpoint, CheckpointWriter, readCheckpoint } from './checkpoint.ts';
import { type Cut, isOfTopic, movedSince, type Offsets, type QuietOptions, takeCut, waitQuiet } from './cut.ts';
import { schemasDigest } from './digest.ts';
import { Inputs } from './inputs.ts';
import { Counters } from './limit-counters.ts';
import { Totals } from './money-totals.ts';
import { PartitionPass } from './partition-pass.ts';
import type { VerifySources } from './ports.ts';
import { ProviderBooks } from './provider.ts';
import { QuoteUses } from './quote-uses.ts';
import { RecoveryTrail } from './recovery-trail.ts';
import { checks as allChecks } from './registry.ts';
import { ANYTHING, type CheckResult, type Excuse, Findings, type VerifyReport, type VerifyTotals } from './report.ts';
import { ALL_TOPICS, GRAIN_TOPICS, isContract } from './topics.ts';

export interface VerifyOptions {
  /** Findings kept of each code; default 20. All are counted. */
  readonly findingsPerCode?: number;
  /** Most transfers held at a time; a partition with more is read in several passes. Default 100,000. */
  readonly maxTransfersHeld?: number;
  /** The longest that a transaction may stay open, ms (the producers' timeout). Default 10,000. */
  readonly settleMs?: number;
  /** Waits until nothing is written any more before the cut is taken. */
  readonly waitQuiet?: Omit<QuietOptions, 'onProgress'>;
  /** Goes on from this checkpoint. */
  readonly from?: string;
  /** Writes a checkpoint here, if nothing was wrong. */
  readonly checkpoint?: string;
  /** Checks beside those of the registry. */
  readonly moreChecks?: readonly Check[];
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  readonly phase: string;
  /** Records read so far, and in all. */
  readonly records: number;
  readonly of: number;
}

/**
 * Reads everything up to a cut that it takes itself, and judges it.
 * @throws CodedError when something cannot be read; what it finds wrong is in the report
 */
export async function verify(sources: VerifySources, options: VerifyOptions = {}): Promise<VerifyReport> {
  const startedAt = performance.now();
  const from = options.from === undefined ? undefined : await readCheckpoint(options.from);
  if (from && from.header.app !== sources.app) throw ofAnother(from, sources.app);
  if (options.waitQuiet) {
    const onProgress = (phase: string) => options.onProgress?.({ phase, records: 0, of: 0 });
    await waitQuiet(sources.log, { ...options.waitQuiet, onProgress });
  }
  const cut = await takeCut(sources.log, sources.app, from?.header.offsets);
  const run = startRun(sources, cut, from, options);
  const checks = [...allChecks(), ...(options.moreChecks ?? [])];
  const running = checks.filter(({ skips }) => skips?.(sources) === undefined);
  const writer = options.checkpoint === undefined ? undefined : new CheckpointWriter(options.checkpoint);
  try {
    reportGaps(run);
    const progress = progressOf(cut, options);
    if (run.provider && sources.provider) await run.provider.read(sources.provider, from?.header.providerSeq ?? 0);
    const pass = new PartitionPass(run, running, from, progress);
    await pass.inputs();
    for (const check of running) check.inputs?.(run);
    for (let partition = 0; partition < cut.partitions; partition++) {
      await pass.chain(partition, options.maxTransfersHeld ?? 100_000, async (transfer) => {
        if (writer === undefined || !staysOpen(transfer, run)) return;
        const { standing } = run.claims.match(transfer.id);
        const paid = run.provider?.match(transfer.id);
        const v = {
          transfer: trimmed(transfer),
          paid,
          ...(standing.length > 0 && { claims: standing.map(claimFact) }),
        };
        await writer.add({ t: 'transfer', p: partition, v });
      });
    }
    for (const check of running) await check.end?.(run);
    const excused = await settle(run, options.settleMs ?? 10_000);
    if (writer) await writeCheckpoint(writer, run, from, excused);
    return reportOf(run, checks, pass, from, performance.now() - startedAt);
  } catch (error) {
    await writer?.abandon();
    throw error;
  }
}

function ofAnother({ header }: Checkpoint, app: string): CodedError {
  const message = `the checkpoint is of the application ${header.app}, and this is ${app}`;
  return new CodedError('CHECKPOINT_OF_ANOTHER', message, { faultClass: 'fatal' });
}

function startRun(sources: VerifySources, cut: Cut, from: Checkpoint | undefined, options: VerifyOptions): Run {
  return {
    cut,
    sources,
    findings: new Findings(options.findingsPerCode ?? 20),
    inputs: new Inputs(
      'transfer.requested',
      [cut.topicIds.get('transfer.requested') ?? []].flat(),
      cut.ranges.get('transfer.requested') ?? [],
      from?.inputs,
    ),
    trail: new RecoveryTrail(cut.isHandled, (topic, topicId) => isOfTopic(cut, topic, topicId), from?.trail),
    provider: sources.provider ? new ProviderBooks() : undefined,
    claims: new ClaimBooks(
      from?.header.offsets['payout.attempts'] !== undefined ||
        (cut.ranges.get('payout.attempts') ?? []).every((range) => range.from === 0),
    ),
    counters: new Counters(from?.counters),
    totals: new Totals(from?.header.totals),
    quoteUses: new QuoteUses(from?.quotes),
    byState: new Map(),
    inputsBy: new Map(),
    inputsGone: new Map(),
    deadLetters: [],
    unsettledTokens: new Set(),
    bytesAt: () => undefined,
    continues: from !== undefined,
    grainsAhead: new Map(),
    documents: new Map(Object.entries(from?.header.documents ?? {})),
  };
}

/** Records that retention took before they were verified. Detours that were handled may go. */
function reportGaps({ cut, findings }: Run): void {
  for (const { topic, partition, from, start } of cut.gaps) {
    if (!isContract(topic)) continue;
    const detail = `${topic}/${partition} begins at ${start}; from ${from} on it was not verified: go on from a checkpoint that reaches there`;
    findings.add('log', { code: 'LOG_TRIMMED', position: `${topic}/${partition}/${from}`, detail });
  }
}

function progressOf(cut: Cut, { onProgress }: VerifyOptions): (phase: string, records: number) => void {
  let of = 0;
  for (const range of [...cut.ranges.values()].flat()) of += range.to - range.from;
  return (phase, records) => onProgress?.({ phase, records, of });
}

/** Decides what was deferred. @returns whether anything was excused */
async function settle(run: Run, settleMs: number): Promise<number> {
  const { findings, cut, sources, trail } = run;
  if (!findings.hasDeferred) return 0;
  const moved = await movedSince(cut, sources.log, sources.codec, settleMs);
  return findings.settle(({ subject, source }: Excuse) => {
    if (source && trail.isWaiting(source)) return true;
    if (subject === undefined) return false;
    return subject === ANYTHING ? moved.size > 0 : moved.has(subject);
  });
}

async function writeCheckpoint(
  writer: CheckpointWriter,
  run: Run,
  from: Checkpoint | undefined,
  excused: number,
): Promise<void> {
  // What is wrong would never be looked at again: the next run has to start where this one did.
  if (run.findings.errors > 0) return writer.abandon();
  const { cut, sources, inputs, trail, counters, totals, documents, provider, quoteUses } = run;
  for (const { end, ...input } of inputs.all()) if (end === undefined) await writer.add({ t: 'input', v: input });
  for (const recovery of trail.open()) await writer.add({ t: 'detour', v: recovery });
  for (const counter of counters.stored()) await writer.add({ t: 'counter', v: counter });
  for (const use of quoteUses.stored(cut.takenAt)) await writer.add({ t: 'quote', v: use });
  await writer.commit({
    app: sources.app,
    schemas: schemasDigest(),
    takenAt: cut.takenAt,
    offsets: endsOf(cut),
    storeOffsets: storeOffsets(run, excused),
    totals: Object.fromEntries(totals.entries()),
    documents: Object.fromEntries(documents),
    providerSeq: provider?.lastSeq ?? from?.header.providerSeq ?? 0,
    previous: from?.header.hash ?? null,
  });
}

function endsOf(cut: Cut): Offsets {
  const ends: Record<string, Record<number, number>> = {};
  for (const [topic, ranges] of cut.ranges) {
    ends[topic] = Object.fromEntries(ranges.map(({ partition, to }) => [partition, to]));
  }
  return ends;
}

/** Sinks that are compared record by record, and what they read. */
const COMPARED: readonly (readonly [owner: string, topic: string])[] = [
  ['sink-events', 'transfer.lifecycle'],
  ['sink-events', 'intent.rejected'],
  ['sink-events', 'intent.duplicated'],
  ['sink-cases', 'transfer.held'],
  [ANALYTICS, 'transfer.lifecycle'],
];

/** From where the next run has to compare records with the stores: what a sink had not handled, or waits for. */
function storeOffsets({ cut, trail, grainsAhead }: Run, excused: number): Offsets {
  const waiting = excused === 0 ? [] : [...trail.open()].filter(({ waits }) => waits.length > 0);
  const offsets: Record<string, Record<number, number>> = {};
  for (const [owner, topic] of COMPARED) {
    const byPartition: Record<number, number> = { ...offsets[topic] };
    for (const { partition, from, to } of cut.ranges.get(topic) ?? []) {
      // Where analytics never ran there is nothing to compare.
      if (owner === ANALYTICS && !cut.isHandled(owner, topic, partition, 0)) continue;
      let first = to;
      while (first > from && !cut.isHandled(owner, topic, partition, first - 1)) first--;
      for (const { source } of waiting) {
        if (source.owner === owner && source.topic === topic && source.partition === partition) {
          first = Math.min(first, source.offset);
        }
      }
      byPartition[partition] = Math.min(first, byPartition[partition] ?? to);
    }
    offsets[topic] = byPartition;
  }
  for (const topic of GRAIN_TOPICS) {
    const ranges = cut.ranges.get(topic) ?? [];
    const first = ({ partition, to }: PartitionRange) => grainsAhead.get(`${topic}/${partition}`) ?? to;
    offsets[topic] = Object.fromEntries(ranges.map((range) => [range.partition, first(range)]));
  }
  return offsets;
}

function reportOf(
  run: Run,
  checks: readonly Check[],
  pass: PartitionPass,
  from: Checkpoint | undefined,
  elapsedMs: number,
): VerifyReport {
  const { findings, cut, sources } = run;
  const results = [{ name: 'log', proves: 'The log is there and can be read.' } as Check, ...checks].map(
    ({ name, proves, skips }): CheckResult => {
      const skipped = skips?.(sources);
      return { check: name, proves, ...findings.of(name), ...(skipped === undefined ? {} : { skipped }) };
    },
  );
  const ranges: PartitionRange[] = ALL_TOPICS.flatMap((topic) => cut.ranges.get(topic) ?? []);
  return {
    ok: findings.errors === 0,
    cut: { takenAt: cut.takenAt, ...(from ? { from: from.header.hash } : {}), ranges },
    checks: results,
    findings: findings.list(),
    codes: findings.codes,
    totals: totalsOf(run, pass),
    elapsedMs: Math.round(elapsedMs),
    peakRssBytes: process.resourceUsage().maxRSS * 1_024,
  };
}

const SETTLED = new Set(['COMPLETED', 'REJECTED', 'RETURNED', 'HELD', 'DEAD_LETTERED']);

function totalsOf(run: Run, pass: PartitionPass): VerifyTotals {
  const { executedInFlight = 0, ...byState } = Object.fromEntries(run.byState) as Record<string, number>;
  const counts = Object.entries(byState);
  const sum = (wanted: (state: string) => boolean) =>
    counts.reduce((total, [state, count]) => (wanted(state) ? total + count : total), 0);
  const inputsBy = { accepted: 0, rejected: 0, duplicated: 0, deadLettered: 0, underWay: 0, lost: 0 };
  for (const [end, count] of run.inputsBy) inputsBy[end as keyof typeof inputsBy] = count;
  return {
    records: Object.fromEntries(pass.records),
    inputs: Object.values(inputsBy).reduce((a, b) => a + b, 0),
    inputsBy,
    transfers: sum(() => true),
    byState,
    inFlight: sum((state) => !SETTLED.has(state)),
    currencies: Object.fromEntries(run.totals.entries()),
    provider: { executions: run.provider?.executions ?? 0, returns: run.provider?.returns ?? 0, executedInFlight },
  };
}
