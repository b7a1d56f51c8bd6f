// `corridor limits`: what is used of limits, and what other rules would have done.
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Command } from 'commander';
import { transferViews } from '../../adapters/mongo/transfer-views.ts';
import { limitStandingOf } from '../../api/v1/limits-dto.ts';
import { formatMoney } from '../../domain/money/currencies.ts';
import type { AuditConclusion, LimitsAudit } from '../../operations/limits/audit.ts';
import { type BacktestDone, backtest } from '../../operations/limits/backtest.ts';
import { limitsConclusion } from '../../operations/limits/conclusion.ts';
import { subjectNamed, subjectsOf } from '../../operations/limits/standing.ts';
import { readLimitRules } from '../../operations/policies/limits.ts';
import { transferUnknown } from '../../operations/queries/standing.ts';
import { CodedError } from '../../ports/fault.ts';
import { requireRings } from '../../ports/seals.ts';
import { allTheTime, BACKTEST_TOPICS, type BacktestChange, type Sum } from '../../processors/limits/backtest.ts';
import { bookOf } from '../../processors/limits/processor.ts';
import { corridorBookOf } from '../../services/configured-rules.ts';
import type { Connections } from '../../services/connections.ts';
import { auditLimits, rebuildLimits, takeSnapshot } from '../../services/limits-ledger.ts';
import { openLimitsDesk } from '../../services/limits-standing.ts';
import { TRANSFERS } from '../../services/process-parts/sinks.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { withConnections } from '../connections.ts';
import { count, print, printError, printRows, toJson, toJsonLine, withJson } from '../output.ts';
import { contentOf } from '../policies.ts';
import { ENDINGS, EXIT_OF } from '../shapes/backtest.ts';
import { askedIn, printStandings, showCommand } from '../shapes/limits.ts';
import { instant } from './dead-letter-options.ts';

interface BacktestOptions {
  readonly rules: string;
  readonly from: Date;
  readonly to: Date;
  readonly byDays?: boolean;
  readonly changes?: string;
  readonly maxHeld?: number;
  readonly json?: boolean;
}

const BACKTEST_HELP = `
The rules count as long before the period as their windows reach, as though they had been in force all the time (--by-days goes
by their days), and nothing is written. Every transfer is asked by the engine of the stage, in the order in which the broker
took it. What they stop does not count; what they let through and was stopped then counts to the end; what a person has decided
of a hold is taken for decided. It needs the keys of stages.

Exit status: 0, all was compared and is as it was; 2, something would have been treated otherwise; 3, nothing was compared; 4,
nothing that was compared differs, but the log is short or holds what cannot be believed; 1, it could not be run.

Example:
  corridor limits backtest --rules rules-2026-12.json --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z --changes changed.ndjson`;

export function registerLimits(program: Command): void {
  const limits = program.command('limits').description('what is used of limits, and what other rules would do');

  withJson(limits.command('backtest'))
    .description('which transfers other rules would have stopped or let through; exits 2 if any')
    .requiredOption('--rules <file>', 'the rules, as a version of the policy `limits` would have them')
    .requiredOption('--from <instant>', 'transfers that the broker took from then on', instant)
    .requiredOption('--to <instant>', 'and before then', instant)
    .option('--by-days', 'a rule counts on its days alone: validFrom, validTo')
    .option('--changes <file>', 'write each transfer that would be treated otherwise, one JSON a line')
    .option('--max-held <number>', 'counters and transfers in memory at most; default: 2000000 (2 GiB)', count)
    .addHelpText('after', BACKTEST_HELP)
    .action((options: BacktestOptions) =>
      withConnections(async (connections) => {
        const { done, first } = await runBacktest(connections, options);
        const conclusion = limitsConclusion(done);
        if (options.json) console.log(toJson({ same: conclusion === 'SAME', conclusion, ...done }));
        else printReport(done, first);
        process.exitCode = EXIT_OF[conclusion];
      }),
    );
  registerLedger(limits);

  showCommand(limits).action((kind, ids: readonly string[], { json }: { json?: boolean }) =>
    withConnections(async (connections) => {
      const asked = askedIn(kind, ids);
      const subjects =
        'transferId' in asked
          ? subjectsOf(await transferOf(connections, asked.transferId))
          : [subjectNamed(asked.kind, asked.subject)];
      const desk = openLimitsDesk(connections);
      try {
        printStandings((await desk.standings(subjects)).map(limitStandingOf), json === true);
      } finally {
        await desk.close();
      }
    }),
  );
}

/** @throws CodedError TRANSFER_UNKNOWN, MONGO_UNAVAILABLE */
async function transferOf(connections: Connections, transferId: string): Promise<TransferDocument> {
  const found = await transferViews(await connections.db(), TRANSFERS).find(transferId);
  if (found === undefined) throw transferUnknown(transferId);
  return found;
}

function registerLedger(limits: Command): void {
  withJson(limits.command('snapshot'))
    .description('keep what limits count in the log, so that windows outlive its retention when Redis is lost')
    .option('--max-held <number>', MAX_HELD, count)
    .addHelpText('after', SNAPSHOT_HELP)
    .action(({ json, maxHeld }: HeldOptions) =>
      withConnections(async (connections) => {
        const { snapshotId, transfers, parts, missingSince } = await takeSnapshot(connections, heldBy(maxHeld));
        if (json) console.log(toJson({ snapshotId, transfers, parts, missingSince: instantOrNull(missingSince) }));
        else print(`snapshot ${snapshotId}: ${transfers} transfers in ${parts} parts`);
        if (missingSince !== null) printError(missing(missingSince));
      }),
    );

  withJson(limits.command('audit'))
    .description('compare what Redis counts with what the log says, by rule and window; exits 2 if it differs')
    .option('--wait <seconds>', 'wait so long for a ledger that is being made anew', count, 60)
    .option('--max-held <number>', MAX_HELD, count)
    .addHelpText('after', AUDIT_HELP)
    .action(({ json, wait, maxHeld }: HeldOptions & { readonly wait: number }) =>
      withConnections(async (connections) => {
        const options = { waitMs: wait * 1_000, onProgress: sayOnce(), ...heldBy(maxHeld) };
        const done = await auditLimits(connections, options);
        if (json) console.log(toJson({ ...done, missingSince: instantOrNull(done.missingSince) }));
        else printAudit(done);
        if (done.missingSince !== null) printError(missing(done.missingSince));
        process.exitCode = AUDIT_EXIT[done.conclusion];
      }),
    );

  limits
    .command('rebuild')
    .description('have the stage make its ledger in Redis anew, from the newest snapshot and the log behind it')
    .addHelpText(
      'after',
      '\nTransfers wait meanwhile. Where no stage runs, the next one to start does it.\n\nExample:\n  corridor limits rebuild',
    )
    .action(() =>
      withConnections(async (connections) => {
        await rebuildLimits(connections);
        print('The ledger is out of force; the limits stage makes it anew: see `corridor status`.');
      }),
    );
}

const MAX_HELD = 'transfers and their uses in memory at most; default: as many as there are';

interface HeldOptions {
  readonly json?: boolean;
  readonly maxHeld?: number;
}

const heldBy = (maxHeld: number | undefined) => (maxHeld === undefined ? {} : { maxHeld });

/** The statuses of `corridor backtest`; 1 is that it could not look, as with every command. */
const AUDIT_EXIT: Readonly<Record<AuditConclusion, number>> = { SAME: 0, DRIFT: 2, NOT_COMPARED: 3, INCOMPLETE: 4 };

const AUDIT_HELP = `
Counters with their open reservations and beneficiaries, the sums over rolling windows, and the records of transfers; of windows
that are not over. What differs is looked at again, 5 s apart, and what the stage has yet to do, or is doing, is left out until it
is done. It writes nothing, and needs the keys of stages.

Exit status: 0, all was compared and is as the log says; 2, something differs; 3, nothing could be compared: the ledger is lost,
being made anew, or was made anew meanwhile; 4, nothing that was compared differs, but the stage was at some of it at every look,
or the log is short; 1, it could not look.

Example:
  corridor limits audit --wait 120`;

const NOT_COMPARED: Readonly<Record<NonNullable<LimitsAudit['reason']>, string>> = {
  LOST: 'the ledger is lost or being made anew: the stage does it. Nothing was compared.',
  CATCH_UP_DUE: 'what was committed behind the rebuild is not taken in yet: the stage does it. Nothing was compared.',
  REPLACED: 'the ledger was made anew meanwhile. Nothing was compared.',
};

/** Each thing that is waited for, once. */
function sayOnce(): (detail: string) => void {
  let said: string | undefined;
  return (detail) => {
    if (detail !== said) printError(`waiting: ${detail}`);
    said = detail;
  };
}

function printAudit({ reason, transfers, moving, short, drift }: LimitsAudit): void {
  if (reason !== null) {
    print(NOT_COMPARED[reason]);
    return;
  }
  print(`${transfers} transfers in log and snapshot`);
  if (drift.length > 0) printRows(drift, ['ruleId', 'window', 'what', 'counters', 'tooMany', 'tooFew'], false);
  if (moving > 0) print(`${moving} that differ were not compared: the stage was at them each time.`);
  if (short > 0) print(`${short} hold more than the log tells: their windows began before it does.`);
  if (drift.length === 0 && moving === 0) print('Redis counts what they say.');
}

const SNAPSHOT_HELP = `
It reads the newest snapshot and the log behind it, and nothing of Redis. Run it each day, say, and in any case more often than
the topics of limits forget (30 days by default). Killed at any point, the snapshot before it holds. It needs the keys of stages.

Example:
  corridor limits snapshot`;

const instantOrNull = (at: number | null) => (at === null ? null : new Date(at).toISOString());
const missing = (since: number) =>
  `What the broker took before ${new Date(since).toISOString()} is not all there: rules with longer windows count less than was used.`;

/** Transfers that are shown; a file has all of them. */
const SHOWN = 20;

async function runBacktest(
  { log, codec, config }: Connections,
  { rules, byDays, changes, maxHeld, ...period }: BacktestOptions,
): Promise<{ readonly done: BacktestDone; readonly first: readonly BacktestChange[] }> {
  const [from, to] = [period.from.getTime(), period.to.getTime()];
  if (to <= from) throw new CodedError('OPTION_INVALID', '--to is not after --from');
  requireRings(config.keys, BACKTEST_TOPICS);
  const set = readSet(rules);
  const book = bookOf(byDays ? set : allTheTime(set), corridorBookOf(config));
  await codec.load(BACKTEST_TOPICS);
  const file = changes === undefined ? undefined : createWriteStream(changes, { flags: 'wx' });
  // A file that cannot be written ends it with what it says.
  const written = file === undefined ? undefined : finished(file);
  written?.catch(() => undefined);
  const first: BacktestChange[] = [];
  const onChange = (change: BacktestChange) => {
    if (first.length < SHOWN) first.push(change);
    file?.write(`${toJsonLine({ ...change, appendedAt: new Date(change.appendedAt) })}\n`);
  };
  try {
    const sources = { reader: log.reader(), codec, rings: config.keys };
    const done = await backtest(sources, { book, from, to, onChange, ...(maxHeld !== undefined && { maxHeld }) });
    return { done, first };
  } finally {
    file?.end();
    await written;
  }
}

function readSet(file: string) {
  const { content } = contentOf({ file }) as { readonly content: unknown };
  try {
    return readLimitRules(content);
  } catch (error) {
    throw new CodedError('POLICY_INVALID', `${file}: ${(error as Error).message}`);
  }
}

const moneyIn = ({ money }: Sum): string =>
  Object.entries(money)
    .map(([currency, minor]) => formatMoney({ minor, currency }))
    .join(', ');

function printReport(done: BacktestDone, first: readonly BacktestChange[]): void {
  print(`${done.rules}, counted from ${new Date(done.countedFrom).toISOString()}: ${done.records} records`);
  if (done.isShort) print('The log does not reach back so far: what was used before is not counted.');
  if (done.unproven > 0) print(`${done.unproven} records that no stage has sealed count for nothing.`);
  const rows = done.outcomes.map(({ was, would, ...sum }) => ({
    was,
    would,
    transfers: sum.transfers,
    debits: moneyIn(sum),
  }));
  printRows(rows, ['was', 'would', 'transfers', 'debits'], false);
  const byRule = done.byRule.map(({ ruleId, verdict, ...sum }) => ({
    ...{ rule: ruleId, would: verdict, transfers: sum.transfers, debits: moneyIn(sum) },
  }));
  if (byRule.length > 0) printRows(byRule, ['rule', 'would', 'transfers', 'debits'], false);
  if (first.length > 0) printChanges(first);
  print(ENDINGS[limitsConclusion(done)]);
}

function printChanges(first: readonly BacktestChange[]): void {
  const shown = first.map(({ transferId: transfer, appendedAt, was, would, rules, debit }) => ({
    ...{ transfer, at: new Date(appendedAt), was, would, rules: rules.join(', '), debit: formatMoney(debit) },
  }));
  printRows(shown, ['transfer', 'at', 'was', 'would', 'rules', 'debit'], false);
}
