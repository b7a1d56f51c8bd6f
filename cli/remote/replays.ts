// `corridor dlq replay|approve|refuse|watch|replays` over the API: the server selects, tries and sends; this asks and shows.
import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import type { ApiAnswer, ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { replayDto } from '../../api/v1/replay-dto.ts';
import { letterEditsDto } from '../../api/v1/routes/letter-edits.ts';
import { replaysDto, replayWithCountsDto } from '../../api/v1/routes/replays.ts';
import { CodedError, isCoded } from '../../ports/fault.ts';
import { pause } from '../../ports/pause.ts';
import { type FilterOptions, filtered } from '../commands/dead-letter-options.ts';
import { printEdits } from '../commands/letter-edits.ts';
import { count, print, printCut, printError, printRows, toJson, withJson, withUnmask } from '../output.ts';
import { confirmed } from './confirm.ts';

type Replay = z.output<typeof replayDto>;
const POLL_MS = 500;
const MAX_TRIES = 5;

export interface AskOptions extends Omit<FilterOptions, 'state'> {
  readonly reason: string;
  readonly rate?: number;
  readonly canary?: number;
  readonly maxFailures?: number;
  readonly letters?: number;
  readonly json?: boolean;
}

const pathOf = (id: string) => `/replays/${encodeURIComponent(id)}`;

export function registerRemoteReplays(dlq: Command, api: () => ApiClient): void {
  filtered(withJson(dlq.command('replay')))
    .description('select parked letters, freeze them, have the server try them, and ask a second person')
    .requiredOption('--reason <text>', 'why; kept with the replay')
    .option('--rate <n>', 'letters a second', count)
    .option('--canary <n>', 'how many to send first; they have to end well', count)
    .option('--max-failures <share>', 'share of new failures past which it stops', share)
    .option('--letters <n>', 'for programs: how many letters it must have; nothing is typed then', count)
    .addHelpText(
      'after',
      `
Nothing is sent by this. The letters are taken, so that no other replay can send them; \`dlq replays cancel\` gives them back.
Another person lets it through with \`dlq approve\`, and the server sends it.

Example:
  corridor dlq replay --group 3f0c9a1b7d2e4c58 --reason "mended by the deploy of 03:10" --rate 200`,
    )
    .action((options: AskOptions) => ask(api(), options));
  registerDecisions(dlq, api);
  registerWatch(dlq, api);
  const replays = dlq
    .command('replays')
    .description('replays that were asked for: how far they are, and what holds them');
  registerViews(replays, api);
  registerControls(replays, api);
}

/** What a filter selects, as the API takes it. */
export const selectionOf = ({
  letter,
  group,
  transfer,
  since,
  owner,
  code,
  corridor,
}: Omit<FilterOptions, 'state'>) => ({
  ...{ letterIds: letter, groupId: group, owner, code, corridor, transferId: transfer, since: since?.toISOString() },
});

async function ask(api: ApiClient, options: AskOptions): Promise<void> {
  const { reason, rate, canary, maxFailures } = options;
  const body = { select: selectionOf(options), reason, ratePerSecond: rate, canary, maxFailureRatio: maxFailures };
  const made = await api.ask('POST', '/replays', { body, key: randomUUID() });
  await askAbout(api, replayDto.parse(made.body).replayId, options, 'ask');
}

/**
 * Shows what was frozen and tried, and asks a second person once it is confirmed; gives the letters back where it is not.
 * @param change made before it is tried, of what was frozen
 */
export async function askAbout(
  api: ApiClient,
  replayId: string,
  { letters, json }: Pick<AskOptions, 'letters' | 'json'>,
  word: 'ask' | 'discard',
  change: (etag: string | undefined) => Promise<void> = async () => undefined,
): Promise<void> {
  printError('The letters are frozen. The process that would send them tries them …');
  try {
    await changed(api, replayId, change);
    const tried = await untilTried(api, replayId);
    if (!json) {
      showReplay(tried.replay);
      await showEdits(api, tried.replay);
    }
    await confirmed({ word, count: tried.replay.letters, said: letters });
    const asked = await api.ask('POST', `${pathOf(replayId)}/ask`, { etag: tried.etag });
    const approval = approvalDto.parse(asked.body);
    if (json) {
      print(toJson({ replay: tried.replay, approval }));
      return;
    }
    print(`\nAnother person lets it through until ${approval.expiresAt}:`);
    print(`  corridor dlq approve ${replayId} --reason "…"`);
  } catch (error) {
    // Nobody was asked: the letters are free again.
    await giveBack(api, replayId);
    throw error;
  }
}

/** A change is made again where only the trial of the server came between: it moves what was frozen, and nobody else has it. */
async function changed(api: ApiClient, id: string, change: (etag: string | undefined) => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { replay, etag } = await get(api, id);
    try {
      return await change(etag);
    } catch (error) {
      if (!isMoved(error) || replay.state !== 'FROZEN' || tries === MAX_TRIES) throw error;
    }
  }
}

const isMoved = (error: unknown): boolean =>
  isCoded(error) && (error.code === 'REPLAY_MOVED' || error.code === 'PRECONDITION_FAILED');

/** Again where the trial of the server came between. What cannot be given back is given back by itself, in half an hour. */
async function giveBack(api: ApiClient, id: string): Promise<void> {
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    try {
      await cancel(api, id);
      return;
    } catch (error) {
      if (!isMoved(error)) return;
    }
  }
}

/** What is edited, as who asks may see it. */
async function showEdits(api: ApiClient, { replayId, editedLetters }: Replay, query = ''): Promise<void> {
  if (editedLetters === 0) return;
  const { items } = letterEditsDto.parse((await api.ask('GET', `${pathOf(replayId)}/edits${query}`)).body);
  printEdits(items.map(({ editedBy: by, ...edit }) => ({ ...edit, by })));
}

async function untilTried(api: ApiClient, id: string): Promise<{ replay: Replay; etag: string | undefined }> {
  for (;;) {
    const found = await get(api, id);
    if (found.replay.expected !== null) return found;
    if (found.replay.state !== 'FROZEN' && found.replay.state !== 'FREEZING')
      throw new CodedError(
        'REPLAY_MOVED',
        `replay ${id} is ${found.replay.state}: ${found.replay.halted?.detail ?? ''}`,
      );
    await pause(POLL_MS);
  }
}

async function get(api: ApiClient, id: string) {
  const { body, etag } = await api.ask('GET', pathOf(id));
  return { ...replayWithCountsDto.parse(body), etag };
}

async function cancel(api: ApiClient, id: string): Promise<Replay> {
  const { etag } = await get(api, id);
  return replayDto.parse((await api.ask('POST', `${pathOf(id)}/cancel`, { etag })).body);
}

function registerViews(replays: Command, api: () => ApiClient): void {
  withJson(replays.command('list'))
    .description('replays, the latest first')
    .action(async ({ json }: { json?: boolean }) => {
      const { items, complete } = replaysDto.parse((await api().ask('GET', '/replays')).body);
      if (json) printRows(items, [], true);
      else printRows(items.map(row), ['replay', 'state', 'owner', 'letters', 'money', 'asked by', 'at']);
      printCut(complete, items.length, 'These are the latest.');
    });
  withUnmask(withJson(replays.command('show')))
    .argument('<replay>', 'id of the replay')
    .description('a replay: what it would do or has done, and what became of its letters')
    .action(async (id: string, { json, unmask, ticket }: { json?: boolean; unmask?: string; ticket?: string }) => {
      const { replay, counts } = await get(api(), id);
      if (json) {
        print(toJson({ replay, counts }));
        return;
      }
      showReplay(replay);
      await showEdits(api(), replay, unmaskQuery(unmask, ticket));
      if (counts.length > 0) printRows(counts, ['state', 'outcome', 'reason', 'letters']);
    });
}

const WATCH_MS = 1_000;
/** None of these goes on. */
const OVER: ReadonlySet<Replay['state']> = new Set(['STOPPED', 'CANCELLED', 'ENDED']);

function registerWatch(dlq: Command, api: () => ApiClient): void {
  dlq
    .command('watch')
    .argument('<replay>', 'id of the replay')
    .description('follow a replay to its end, a line for each change; exit code 1: it stopped, or was cancelled')
    .action(async (id: string) => {
      const at = api();
      for (let last = ''; ; await pause(WATCH_MS)) {
        const { replay, counts } = await get(at, id);
        const became = counts.map(({ state, outcome, reason, letters }) => `${letters} ${outcome ?? reason ?? state}`);
        const halted = replay.halted === null ? '' : `; ${replay.halted.code}: ${replay.halted.detail}`;
        const line = `${replay.state}  ${became.join(', ') || `${replay.letters} letters`}${halted}`;
        if (line !== last) print(line);
        last = line;
        if (!OVER.has(replay.state)) continue;
        if (replay.state !== 'ENDED') process.exitCode = 1;
        return;
      }
    });
}

interface DecideOptions {
  readonly letters?: number;
  readonly reason: string;
}

function registerDecisions(dlq: Command, api: () => ApiClient): void {
  for (const [verb, does] of [
    ['approve', 'let a replay through that somebody else asked for'],
    ['refuse', 'refuse a replay that somebody else asked for; its letters are parked again'],
  ] as const) {
    dlq
      .command(verb)
      .argument('<replay>', 'id of the replay')
      .description(does)
      .requiredOption('--reason <text>', 'why; kept with the approval')
      .option('--letters <n>', 'for programs: how many letters it has, as you have seen it', count)
      .action((id: string, options: DecideOptions) => decide(api(), id, verb, options));
  }
}

function pathOfApproval({ replayId, approvalId }: Replay): string {
  if (approvalId !== null) return `/approvals/${encodeURIComponent(approvalId)}`;
  throw new CodedError('APPROVAL_UNKNOWN', `nobody has asked for replay ${replayId} yet`);
}

async function decide(
  api: ApiClient,
  id: string,
  verb: 'approve' | 'refuse',
  { letters, reason }: DecideOptions,
): Promise<void> {
  const { replay } = await get(api, id);
  const path = pathOfApproval(replay);
  const found = await api.ask('GET', path);
  showReplay(replay);
  await showEdits(api, replay);
  print(`approve  ${approvalDto.parse(found.body).summary}`);
  await confirmed({ word: verb === 'approve' ? 'replay' : 'refuse', count: replay.letters, said: letters });
  const decided = await api.ask('POST', `${path}/${verb}`, { body: { reason }, etag: found.etag });
  const { state, decided: by } = approvalDto.parse(decided.body);
  print(`\n${state} by ${by?.by ?? '-'}. Follow it: corridor dlq watch ${id}`);
}

function registerControls(replays: Command, api: () => ApiClient): void {
  for (const [verb, does] of [
    ['pause', 'send nothing more until it is resumed'],
    ['resume', 'go on with what was paused'],
    ['cancel', 'end it: what was not sent is parked again'],
  ] as const) {
    replays
      .command(verb)
      .argument('<replay>', 'id of the replay')
      .description(does)
      .action(async (id: string) => {
        const { etag } = await get(api(), id);
        showReplay(replayDto.parse((await api().ask('POST', `${pathOf(id)}/${verb}`, { etag })).body));
      });
  }
  replays
    .command('withdraw')
    .argument('<replay>', 'id of the replay')
    .description('take back what was asked for; only who asked may')
    .action(async (id: string) => {
      const at = api();
      const path = pathOfApproval((await get(at, id)).replay);
      const { etag } = await at.ask('GET', path);
      await at.ask('POST', `${path}/withdraw`, { etag });
      showReplay((await get(at, id)).replay);
    });
  replays
    .command('slow')
    .argument('<replay>', 'id of the replay')
    .requiredOption('--rate <n>', 'letters a second: a lower rate than now', count)
    .description('send slower; a higher rate needs another replay')
    .action(async (id: string, { rate }: { rate: number }) => {
      const { etag } = await get(api(), id);
      const answer: ApiAnswer = await api().ask('POST', `${pathOf(id)}/slow`, { body: { ratePerSecond: rate }, etag });
      showReplay(replayDto.parse(answer.body));
    });
}

const unmaskQuery = (unmask: string | undefined, ticket: string | undefined): string =>
  unmask === undefined ? '' : `?${new URLSearchParams({ unmask, ...(ticket === undefined ? {} : { ticket }) })}`;

const row = (replay: Replay) => ({
  ...{ replay: replay.replayId, state: replay.state, owner: replay.owner, letters: replay.letters },
  ...{ money: moneyText(replay), 'asked by': replay.askedBy, at: replay.createdAt },
});

function moneyText({ money, lettersWithoutAmount }: Replay): string {
  const sums = money.map(({ amount }) => amount.text);
  if (lettersWithoutAmount > 0) sums.push(`${lettersWithoutAmount} of unknown amount`);
  return sums.join(', ');
}

function showReplay(replay: Replay): void {
  const { replayId, state, owner, letters, askedBy, reason, ratePerSecond, canary, maxFailureRatio, halted } = replay;
  const what = replay.discard === null ? `to ${owner}.replay` : `to be ended for good, reason ${replay.discard}`;
  print(`replay   ${replayId}, ${state}`);
  print(`letters  ${letters} of ${owner}, ${what}; the oldest of ${replay.oldestAt ?? '-'}`);
  print(`money    ${moneyText(replay) || '-'}`);
  print(`asked    by ${askedBy}: ${reason}`);
  print(`rate     ${ratePerSecond} a second after a canary of ${canary}; stops past ${maxFailureRatio} failures`);
  const expected = replay.expected?.map(({ kind, code, letters: some }) => `${some} ${kind}${code ? ` ${code}` : ''}`);
  print(`expected ${expected?.join(', ') ?? 'not tried'}`);
  if (halted) print(`halted   ${halted.code}: ${halted.detail} (${halted.by}, ${halted.at})`);
}

function share(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && number <= 0.5) return number;
  throw new InvalidArgumentError('it must be a share between 0 and 0.5');
}
