// `corridor backtest`: what this build, or other lists, rules and terms, would have decided on what was.
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { formatMoney } from '../../domain/money/currencies.ts';
import { type BacktestDone, backtest } from '../../operations/backtest/backtest.ts';
import { CHANGE_FORMATS, type ChangeFormat } from '../../operations/backtest/change-rows.ts';
import { conclusionOf, uncomparedStages } from '../../operations/backtest/conclusion.ts';
import { type BacktestStage, type Change, outcomeText } from '../../operations/backtest/report.ts';
import { CodedError } from '../../ports/fault.ts';
import { type BacktestBasis, openBacktest } from '../../services/backtest.ts';
import type { Connections } from '../../services/connections.ts';
import { changesFile, withInstant } from '../changes-file.ts';
import { withConnections } from '../connections.ts';
import { count, print, printRows, toJson, withJson } from '../output.ts';
import { ENDINGS, EXIT_OF } from '../shapes/backtest.ts';
import { instant } from './dead-letter-options.ts';

interface Options {
  readonly from: Date;
  readonly to: Date;
  readonly lists?: readonly string[];
  readonly rules?: string;
  readonly terms?: string;
  readonly limits?: string;
  readonly sample: number;
  readonly changes?: string;
  readonly format?: ChangeFormat;
  readonly maxHeld?: number;
  readonly json?: boolean;
}

const HELP = `
Intake, screening, pricing and limits of this build decide again on what the log says that each was given, and the decisions are
compared: a transfer counts at the first stage that decides otherwise. Claims on ids, decisions of people and exceptions are taken
as they were, rates are those of the price of then, and what was never priced is not priced. Payout dispatch and settlement are
not compared. It reads the log and the list versions, writes nothing, and needs the keys of stages.

Exit status: 0, all was compared and is as it was; 2, something differs; 3, nothing was compared, or nothing at a stage that was
given something else or had something to decide; 4, nothing that was compared differs, but the log is short or holds what cannot
be believed or read; 1, it could not be run.

Examples:
  corridor backtest --from 2026-11-30T00:00:00Z --to 2026-12-01T00:00:00Z
  corridor backtest --from 2026-11-30T00:00:00Z --to 2026-12-01T00:00:00Z --terms terms.json --changes changed.ndjson
  corridor backtest --from 2026-11-30T00:00:00Z --to 2026-12-01T00:00:00Z --limits limits.json --changes changed.parquet

What is compared, and how it is to be read: docs/backtest.md`;

export function registerBacktest(program: Command): void {
  withJson(program.command('backtest'))
    .description('what this build would have decided otherwise; exits 2 if anything')
    .requiredOption('--from <instant>', 'what the broker took from then on', instant)
    .requiredOption('--to <instant>', 'and before then', instant)
    .option('--lists <version...>', 'list versions in the place of those of then, by source')
    .option('--rules <file>', 'rules of data of intake; default: those configured')
    .option('--terms <file>', 'terms of prices; default: those in force then')
    .option('--limits <file>', 'limit rules, as though always in force; default: those in force then')
    .option('--sample <number>', 'transfers that are named, at most', count, 20)
    .option('--changes <file>', 'write each transfer that is decided otherwise to a new file')
    .option('--format <format>', `of that file: one of ${CHANGE_FORMATS.join(', ')}; default: by its ending`, format)
    .option('--max-held <number>', 'events and transfers in memory at most; default: 2000000 (2 GiB)', count)
    .addHelpText('after', HELP)
    .action((options: Options) =>
      withConnections(async (connections) => {
        const ran = await run(connections, options);
        const given = givenTo(options);
        if (options.json) console.log(toJson(jsonOf(options, ran, given)));
        else printReport(ran, given);
        process.exitCode = EXIT_OF[conclusionOf(ran.done, given)];
      }),
    );
}

/** The stages that decide by something else than what was. */
function givenTo({ rules, lists = [], terms, limits }: Options): ReadonlySet<BacktestStage> {
  return new Set<BacktestStage>([
    ...(rules === undefined ? [] : ['INTAKE' as const]),
    ...(lists.length === 0 ? [] : ['SCREENING' as const]),
    ...(terms === undefined ? [] : ['FX_PRICING' as const]),
    ...(limits === undefined ? [] : ['LIMITS' as const]),
  ]);
}

interface Ran {
  readonly done: BacktestDone;
  readonly basis: BacktestBasis;
  readonly sample: readonly Change[];
}

async function run(connections: Connections, options: Options): Promise<Ran> {
  const [from, to] = [options.from.getTime(), options.to.getTime()];
  if (to <= from) throw new CodedError('OPTION_INVALID', '--to is not after --from');
  const { lists = [], rules: rulesFile, terms: termsFile, limits: limitsFile, maxHeld } = options;
  if (options.format !== undefined && options.changes === undefined)
    throw new CodedError('OPTION_INVALID', '--format is that of the file of --changes, which is not given');
  const open = await openBacktest(connections, { lists, rulesFile, termsFile, limitsFile });
  const sample: Change[] = [];
  try {
    const file = options.changes === undefined ? undefined : changesFile(options.changes, options.format);
    const onChange = (change: Change) => {
      if (sample.length < options.sample) sample.push(change);
      file?.add(change);
    };
    try {
      const done = await backtest(open.sources, { from, to, onChange, ...(maxHeld !== undefined && { maxHeld }) });
      file?.end();
      return { done, basis: open.basis, sample };
    } catch (error) {
      file?.discard();
      throw error;
    }
  } finally {
    await open.close();
  }
}

function format(text: string): ChangeFormat {
  const known = CHANGE_FORMATS.find((one) => one === text);
  if (known === undefined) throw new InvalidArgumentError(`one of ${CHANGE_FORMATS.join(', ')}`);
  return known;
}

const jsonOf = ({ from, to }: Options, { done, basis, sample }: Ran, given: ReadonlySet<BacktestStage>) => ({
  ...{ from, to, basis, same: conclusionOf(done, given) === 'SAME', conclusion: conclusionOf(done, given) },
  ...{ uncompared: uncomparedStages(done, given), ...done },
  sample: sample.map(withInstant),
});

const moneyIn = (money: Readonly<Record<string, bigint>>): string =>
  Object.entries(money)
    .map(([currency, minor]) => formatMoney({ minor, currency }))
    .join(', ');

function printReport({ done, basis, sample }: Ran, given: ReadonlySet<BacktestStage>): void {
  const { build, lists, rules, terms, limits } = basis;
  print(`build ${build}; lists: ${lists}; rules of data: ${rules}; terms: ${terms}; limits: ${limits}`);
  if (done.isShort)
    print('The log does not reach back so far: what was before is not compared, nor counted by limits.');
  if (done.unproven > 0) print(`${done.unproven} records that their issuer has not sealed count for nothing.`);
  if (done.unreadIntents > 0) print(`${done.unreadIntents} intents cannot be read, now as then: nothing came of them.`);
  if (done.undecodable > 0) print(`${done.undecodable} records that cannot be read count for nothing.`);
  const stages = done.stages.map(({ notComparable, changes: _, changedBefore, ...stage }) => ({
    ...stage,
    'changed before': changedBefore,
    'not comparable': Object.entries(notComparable)
      .map(([code, times]) => `${times} ${code}`)
      .join(', '),
  }));
  printRows(stages, ['stage', 'compared', 'changed', 'changed before', 'open', 'not comparable'], false);
  const changes = done.stages.flatMap(({ stage, changes: kinds }) =>
    kinds.map(({ was, would, transfers, money, difference }) => ({
      ...{ stage, was: outcomeText(was), would: outcomeText(would), transfers },
      ...{ money: moneyIn(money), difference: moneyIn(difference) },
    })),
  );
  if (changes.length > 0) printRows(changes, ['stage', 'was', 'would', 'transfers', 'money', 'difference'], false);
  const named = sample.map(({ transferId, appendedAt, was, would, money, stage }) => ({
    ...{ transfer: transferId, stage, at: new Date(appendedAt), was: outcomeText(was), would: outcomeText(would) },
    money: formatMoney(money),
  }));
  if (named.length > 0) printRows(named, ['transfer', 'stage', 'at', 'was', 'would', 'money'], false);
  for (const stage of uncomparedStages(done, given))
    print(
      `${stage} compared nothing${given.has(stage) ? ', though it was given something else' : ''}: it has shown nothing.`,
    );
  const { changed } = done;
  print(changed > 0 ? `${changed} transfers would have been decided otherwise.` : ENDINGS[conclusionOf(done, given)]);
}
