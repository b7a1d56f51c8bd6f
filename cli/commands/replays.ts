// `corridor dlq replay|approve|refuse|discard|edit|replays|check`: dead letters sent again or ended, under four eyes, and tried.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { deadLetters } from '../../adapters/mongo/dead-letters.ts';
import { payoutKeys, transfersNow } from '../../adapters/mongo/transfers-now.ts';
import { DISCARD_REASONS, type DiscardReason } from '../../domain/reasons.ts';
import { personWithKeys } from '../../operations/access/principal.ts';
import { decideApproval, findApproval } from '../../operations/approvals/approvals.ts';
import { type EditComponents, editLetter, shownEdits } from '../../operations/dead-letters/edits/edit-letter.ts';
import { checkBuild } from '../../operations/dead-letters/replays/check-build.ts';
import {
  cancelReplay,
  checkReplayWaits,
  currentRate,
  pauseReplay,
  resumeReplay,
  slowReplay,
  withdrawReplay,
} from '../../operations/dead-letters/replays/control.ts';
import {
  askForReplay,
  DEFAULT_TERMS,
  dryRunReplay,
  findReplay,
  freezeReplay,
  type ReplayStores,
} from '../../operations/dead-letters/replays/prepare.ts';
import { approvedHash, REPLAY_STATES, type ReplayDocument } from '../../operations/dead-letters/replays/replay.ts';
import { CodedError } from '../../ports/fault.ts';
import { ringOf } from '../../ports/seals.ts';
import { silentLogger } from '../../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { Connections } from '../../services/connections.ts';
import { createDryRunner } from '../../services/dry-run/dry-runner.ts';
import { EVENTS, TRANSFERS } from '../../services/process-parts/sinks.ts';
import { replayStores } from '../../services/replay-stores.ts';
import { reportResult } from '../audit/acts.ts';
import { withConnections } from '../connections.ts';
import { count, print, printCut, printError, printRows, withJson, withUnmask } from '../output.ts';
import { amountText, type FilterOptions, filtered, filterFrom } from './dead-letter-options.ts';
import { EDIT_HELP, printEdits, readPatch } from './letter-edits.ts';

interface Bench {
  readonly connections: Connections;
  readonly stores: ReplayStores;
}

const withReplays = (use: (bench: Bench) => Promise<void>) =>
  withConnections(async (connections) => {
    const stores = await replayStores(connections);
    try {
      await use({ connections, stores });
    } finally {
      await stores.log.close();
    }
  });

/** Runs with the stages of this build over today's data; nothing is written by it. */
async function withDryRun<T>(
  { connections }: Bench,
  use: (trial: Parameters<typeof dryRunReplay>[1]) => Promise<T>,
): Promise<T> {
  const { config, log, codec } = connections;
  const runner = createDryRunner(connections, {
    ...{ app: config.appName, log, codec, rings: config.keys, logger: silentLogger, metrics: createMetrics() },
    ...{ chainPartitions: config.kafka.chainPartitions, maxBatchRecords: 200, lingerMs: 0, retry: [] },
  });
  try {
    return await use({
      runner,
      transfers: transfersNow(await connections.db(), TRANSFERS, EVENTS, payoutKeys(connections.config.keys)),
      rings: config.keys,
    });
  } finally {
    await runner.close();
  }
}

interface AskOptions extends Omit<FilterOptions, 'state'> {
  readonly reason: string;
  readonly rate: number;
  readonly canary: number;
  readonly maxFailures: number;
  readonly by: string;
  readonly json?: boolean;
}

export function registerReplays(dlq: Command): void {
  filtered(withJson(dlq.command('replay')))
    .description('select parked letters, freeze them, try them, and ask a second person to let them through')
    .requiredOption('--reason <text>', 'why; kept with the replay')
    .option('--rate <n>', 'letters a second', count, DEFAULT_TERMS.ratePerSecond)
    .option('--canary <n>', 'how many to send first; they have to end well', count, DEFAULT_TERMS.canary)
    .option('--max-failures <share>', 'share of new failures past which it stops', share, DEFAULT_TERMS.maxFailureRatio)
    .option('--by <operator>', 'who asks', userInfo().username)
    .addHelpText(
      'after',
      `
Nothing is sent by this. The letters are taken, so that no other replay can send them; \`dlq replays cancel\` gives them back.
Another person lets it through with \`dlq approve\`, and a process with \`corridor run --replays\` sends it.

Example:
  corridor dlq replay --group 3f0c9a1b7d2e4c58 --reason "mended by the deploy of 03:10" --rate 200`,
    )
    .action((options: AskOptions) => withReplays((bench) => ask(bench, options)));
  registerDiscard(dlq);
  registerEdit(dlq);
  registerDecisions(dlq);

  const replays = dlq
    .command('replays')
    .description('replays that were asked for: how far they are, and what holds them');
  registerViews(replays);
  registerControls(replays);
}

function registerDiscard(dlq: Command): void {
  filtered(withJson(dlq.command('discard')))
    .description('select parked letters, freeze them, try it, and ask a second person to end them for good')
    .requiredOption('--reason <text>', 'why; kept here, and told to nobody else')
    .addOption(
      new Option('--reason-code <code>', 'reason code of the rejection, for producers; `--code` is that of the letters')
        .choices(DISCARD_REASONS)
        .default('DISC'),
    )
    .option('--rate <n>', 'letters a second', count, DEFAULT_TERMS.ratePerSecond)
    .option('--canary <n>', 'how many to send first; they have to end as rejected', count, DEFAULT_TERMS.canary)
    .option('--by <operator>', 'who asks', userInfo().username)
    .addHelpText(
      'after',
      `
A letter for which a transfer stands still ends it with a rejection, and frees its limits; any other is taken out of what
stands. What may have been paid is left alone. Another person lets it through with \`dlq approve\`.

Example:
  corridor dlq discard --letter 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce --reason "account was closed" --reason-code AC04`,
    )
    .action(({ reasonCode, ...options }: Omit<AskOptions, 'maxFailures'> & { reasonCode: DiscardReason }) =>
      withReplays((bench) =>
        ask(bench, { ...options, discard: reasonCode, maxFailures: DEFAULT_TERMS.maxFailureRatio }),
      ),
    );
}

interface EditOptions {
  readonly patch: string;
  readonly reason: string;
  readonly by: string;
  readonly json?: boolean;
}

function registerEdit(dlq: Command): void {
  withJson(dlq.command('edit'))
    .argument('<letter>', 'id of the dead letter')
    .description('freeze one letter with what is changed of it, try it, and ask a second person to let it through')
    .requiredOption('--patch <file>', 'JSON Patch on the decoded record')
    .requiredOption('--reason <text>', 'why; kept with the replay')
    .option('--by <operator>', 'who asks', userInfo().username)
    .addHelpText('after', EDIT_HELP)
    .action((letterId: string, { patch: file, ...options }: EditOptions) => {
      const patch = readPatch(file);
      const { ratePerSecond: rate, canary, maxFailureRatio: maxFailures } = DEFAULT_TERMS;
      return withReplays(async (bench) => {
        const asked = { ...options, letter: [letterId], rate, canary, maxFailures };
        await ask(bench, asked, async (id) => {
          const editing = { id, letterId, patch, by: options.by, at: new Date() };
          await editLetter(editComponents(bench), editing);
        });
      });
    });
}

const editComponents = ({ connections, stores }: Bench): EditComponents => ({ ...stores, codec: connections.codec });

async function ask(
  bench: Bench,
  {
    reason,
    rate,
    canary,
    maxFailures,
    by,
    json,
    discard,
    ...filter
  }: AskOptions & { readonly discard?: DiscardReason },
  change: (id: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const { connections, stores } = bench;
  const [id, at] = [randomUUID(), new Date()];
  const owner = filter.owner ?? (await ownerOf(bench, filter));
  const terms = { ratePerSecond: rate, canary, maxFailureRatio: maxFailures };
  await freezeReplay(stores, {
    ...{ id, owner, filter: filterFrom(filter), terms, by, reason, at },
    ...(discard && { discard }),
  });
  reportResult({ on: { kind: 'replays', id, isKnown: true } });
  printError('The letters are frozen. Trying them on this build …');
  try {
    await change(id);
    const tried = await withDryRun(bench, (trial) => dryRunReplay(stores, trial, { id, by, at }));
    reportResult({ decidedOn: tried.selectionHash });
    const approval = await askForReplay(stores, { id, at: new Date() }, ringOf(connections.config.keys, 'operators'));
    if (json) {
      printRows([{ ...tried, approvalId: approval._id }], [], true);
      return;
    }
    showReplay(tried);
    printEdits(await shownEdits(editComponents(bench), tried, 'masked'));
    print(`\nAnother person lets it through until ${approval.expiresAt.toISOString()}:`);
    print(`  corridor dlq approve ${id} --letters ${tried.letters} --reason "…"`);
  } catch (error) {
    // Who asked sees the error: the letters are free again.
    await cancelReplay(stores, { id, by, at: new Date() }, 'it could not be tried').catch(() => undefined);
    throw error;
  }
}

async function ownerOf({ connections }: Bench, filter: Omit<FilterOptions, 'state'>): Promise<string> {
  const [letter] = await deadLetters(await connections.db()).list(filterFrom(filter), 1);
  if (letter) return letter.owner;
  throw new CodedError('REPLAY_EMPTY', 'no dead letter is selected by this filter');
}

const MAX_LISTED = 100;

function registerViews(replays: Command): void {
  withJson(replays.command('list'))
    .description('replays, the latest first')
    .addHelpText('after', '\nExample:\n  corridor dlq replays list')
    .action(({ json }: { json?: boolean }) =>
      withReplays(async ({ stores }) => {
        const all = await stores.replays.list(REPLAY_STATES, MAX_LISTED + 1);
        const found = all.slice(0, MAX_LISTED);
        if (json) printRows(found, [], true);
        else printRows(found.map(replayRow), ['replay', 'act', 'state', 'owner', 'letters', 'money', 'asked by', 'at']);
        printCut(all.length <= MAX_LISTED, MAX_LISTED, 'These are the latest.');
      }),
    );

  withUnmask(withJson(replays.command('show')))
    .argument('<replay>', 'id of the replay')
    .description('a replay: what it would do or has done, and what became of its letters')
    .addHelpText('after', '\nExample:\n  corridor dlq replays show 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce')
    .action((id: string, { json, unmask }: { json?: boolean; unmask?: string }) =>
      withReplays(async (bench) => {
        const { stores } = bench;
        const replay = await findReplay(stores.replays, id);
        const counts = await stores.replays.counts(id);
        if (json) {
          printRows([{ ...replay, counts }], [], true);
          return;
        }
        showReplay(replay);
        printEdits(await shownEdits(editComponents(bench), replay, unmask === undefined ? 'masked' : 'full'));
        if (counts.length > 0) printRows(counts, ['state', 'outcome', 'reason', 'letters']);
      }),
    );
}

interface DecideOptions {
  readonly letters: number;
  readonly reason: string;
  readonly by: string;
}

function registerDecisions(dlq: Command): void {
  for (const [name, verdict, does] of [
    ['approve', 'APPROVED', 'let a replay through that somebody else asked for'],
    ['refuse', 'REFUSED', 'refuse a replay that somebody else asked for; its letters are parked again'],
  ] as const) {
    dlq
      .command(name)
      .argument('<replay>', 'id of the replay')
      .description(does)
      .requiredOption('--letters <n>', 'how many letters it has, as you have seen it', count)
      .requiredOption('--reason <text>', 'why; kept with the approval')
      .option('--by <operator>', 'who decides', userInfo().username)
      .addHelpText(
        'after',
        `\nExample:\n  corridor dlq ${name} 0b0c… --letters 500 --reason "tried, and looked at five"`,
      )
      .action((id: string, { letters, reason, by }: DecideOptions) =>
        withReplays(async (bench) => {
          const { connections, stores } = bench;
          const replay = await findReplay(stores.replays, id);
          showReplay(replay);
          printEdits(await shownEdits(editComponents(bench), replay, 'masked'));
          if (replay.letters !== letters) {
            throw new CodedError(
              'EVIDENCE_CHANGED',
              `it has ${replay.letters} letters, not ${letters}: look at it again`,
            );
          }
          const { _id, hash, state } = await findApproval(stores.approvals, replay.approvalId ?? id);
          if (verdict === 'APPROVED') await checkReplayWaits(stores.replays, { _id, subject: id, state });
          // What is shown must be what was asked for, whatever stands in the database.
          if (approvedHash(replay) !== hash) {
            throw new CodedError('EVIDENCE_CHANGED', 'it is not, or no longer, what was asked for: look at it again');
          }
          const deciding = { id: _id, hash, verdict, by: personWithKeys(by), reason, at: new Date() };
          await decideApproval(stores.approvals, deciding, ringOf(connections.config.keys, 'operators'));
          print(`\n${verdict} by ${by}. Follow it: corridor dlq replays show ${id}`);
        }),
      );
  }
}

function registerControls(replays: Command): void {
  const act = (name: string, does: string, use: (stores: ReplayStores, id: string, by: string) => Promise<void>) =>
    replays
      .command(name)
      .argument('<replay>', 'id of the replay')
      .description(does)
      .option('--by <operator>', 'who does it', userInfo().username)
      .action((id: string, { by }: { by: string }) =>
        withReplays(async ({ stores }) => {
          await use(stores, id, by);
          showReplay(await findReplay(stores.replays, id));
        }),
      );
  act('pause', 'send nothing more until it is resumed', (stores, id, by) =>
    pauseReplay(stores, { id, by, at: new Date() }),
  );
  act('resume', 'go on with what was paused', (stores, id) => resumeReplay(stores, { id }));
  act('withdraw', 'take back what was asked for; only who asked may', (stores, id, by) =>
    withdrawReplay(stores, { id, by, at: new Date() }),
  );
  act('cancel', 'end it: what was not sent is parked again', (stores, id, by) =>
    cancelReplay(stores, { id, by, at: new Date() }),
  );
  replays
    .command('slow')
    .argument('<replay>', 'id of the replay')
    .requiredOption('--rate <n>', 'letters a second: a lower rate than now', count)
    .description('send slower; a higher rate needs another replay')
    .action((id: string, { rate }: { rate: number }) =>
      withReplays(async ({ stores }) => {
        await slowReplay(stores, { id, ratePerSecond: rate });
        showReplay(await findReplay(stores.replays, id));
      }),
    );
}

export function registerCheck(dlq: Command): void {
  filtered(withJson(dlq.command('check')))
    .description('try every parked letter on this build: what now goes through, what still fails, what fails anew')
    .addHelpText(
      'after',
      `
Nothing is written. Run it with a build before that is rolled out. Exit code 1: some fail anew.

Example:
  corridor dlq check --owner limits`,
    )
    .action(({ json, ...filter }: Omit<FilterOptions, 'state'> & { json?: boolean }) =>
      withReplays(async (bench) => {
        const store = deadLetters(await bench.connections.db());
        const rows = await withDryRun(bench, (trial) => checkBuild(store, bench.stores.log, trial, filterFrom(filter)));
        printRows(rows, ['owner', 'group', 'was', 'verdict', 'kind', 'code', 'letters'], json);
        if (rows.some(({ verdict }) => verdict === 'fails anew')) process.exitCode = 1;
      }),
    );
}

function replayRow(replay: ReplayDocument) {
  const { _id, state, owner, letters, askedBy, createdAt, discard } = replay;
  return {
    replay: _id,
    act: discard ? 'discard' : 'replay',
    state,
    owner,
    letters,
    money: moneyText(replay),
    'asked by': askedBy,
    at: createdAt,
  };
}

function moneyText({ money, withoutAmount }: ReplayDocument): string {
  const sums = money.map(({ currency, minor }) => amountText(minor, currency));
  if (withoutAmount > 0) sums.push(`${withoutAmount} of unknown amount`);
  return sums.join(', ');
}

function showReplay(replay: ReplayDocument): void {
  const { _id, state, owner, letters, askedBy, reason, terms, dryRun, halted, oldestAt, discard } = replay;
  print(`replay   ${_id}, ${state}`);
  const what = discard ? `to be ended for good, reason ${discard.reason}` : `to ${owner}.replay`;
  print(`letters  ${letters} of ${owner}, ${what}; the oldest of ${oldestAt?.toISOString() ?? '-'}`);
  print(`money    ${moneyText(replay) || '-'}`);
  print(`asked    by ${askedBy}: ${reason}`);
  print(
    `rate     ${currentRate(replay)} a second after a canary of ${terms.canary}; stops past ${terms.maxFailureRatio} failures`,
  );
  const expected = dryRun?.histogram.map(({ kind, code, letters: some }) => `${some} ${kind}${code ? ` ${code}` : ''}`);
  print(`expected ${expected?.join(', ') ?? 'not tried'}`);
  if (halted) print(`halted   ${halted.code}: ${halted.detail} (${halted.by}, ${halted.at.toISOString()})`);
}

function share(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && number <= 0.5) return number;
  throw new InvalidArgumentError('it must be a share between 0 and 0.5');
}
