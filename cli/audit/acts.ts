// Acts of commands on the stores, in the audit log: an entry before the act takes effect, and one of what came of it. Who acts is
// who the command was told (`--by`). Over an API, the API writes the entries.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { LOOK_REASONS } from '../../operations/access/unmasked-look.ts';
import type { ActResult } from '../../operations/audit/audit.ts';
import type { Act, Actor } from '../../operations/audit/entry.ts';
import { ticketNumber } from '../../operations/audit/entry.ts';
import type { EntryLog } from '../../operations/audit/entry-log.ts';
import { CodedError, codeAndDetail } from '../../ports/fault.ts';
import { openAudit } from '../../services/audit.ts';
import { Connections } from '../../services/connections.ts';
import { printError } from '../output.ts';

interface CommandAct {
  readonly action: Act['action'];
  /** What it is about, in the plural. */
  readonly kind: string;
  /** It acts with this option alone; without it, it looks. */
  readonly only?: string;
  /** It shows persons as they are, for the reason that this option gives. */
  readonly shows?: 'unmask' | 'always';
  /** It makes what the log needs: where that is not there yet, it goes on without an entry, and says so. */
  readonly isProvisioning?: true;
}

const act = (action: Act['action'], kind: string, more: Partial<CommandAct> = {}): CommandAct => ({
  action,
  kind,
  ...more,
});

/** Commands that act, or show persons as they are; acts.test.ts finds those that are in neither list. */
export const COMMAND_ACTS: Readonly<Record<string, CommandAct>> = {
  'approvals approve': act('approvals.decide', 'approvals'),
  'approvals refuse': act('approvals.decide', 'approvals'),
  'approvals withdraw': act('approvals.withdraw', 'approvals'),
  'approvals execute': act('approvals.execute', 'approvals'),
  'break-glass open': act('glass.break', 'controls'),
  'break-glass review': act('glass.review', 'controls'),
  'cases show': act('records.unmask', 'cases', { shows: 'always' }),
  'cases assign': act('cases.assign', 'cases'),
  'cases release': act('cases.release', 'cases'),
  'cases decide': act('cases.decide', 'cases'),
  'cases note': act('cases.note', 'cases'),
  'cases restore': act('cases.restore', 'cases'),
  'control pause': act('control.pause', 'controls'),
  'control resume': act('control.resume', 'controls'),
  'customers decide': act('cases.decide', 'cases'),
  'dlq note': act('letters.annotate', 'dead-letter-groups'),
  'dlq replay': act('replays.run', 'replays'),
  'dlq edit': act('letters.edit', 'dead-letters'),
  'dlq discard': act('letters.discard', 'replays'),
  'dlq show': act('records.unmask', 'dead-letters', { only: 'unmask', shows: 'unmask' }),
  'dlq replays show': act('records.unmask', 'replays', { only: 'unmask', shows: 'unmask' }),
  'dlq approve': act('approvals.decide', 'replays'),
  'dlq refuse': act('approvals.decide', 'replays'),
  'dlq replays pause': act('replays.pause', 'replays'),
  'dlq replays resume': act('replays.resume', 'replays'),
  'dlq replays withdraw': act('approvals.withdraw', 'replays'),
  'dlq replays cancel': act('replays.cancel', 'replays'),
  'dlq replays slow': act('replays.slow', 'replays'),
  'dlq skip': act('records.skip', 'consumers', { only: 'offset' }),
  'exceptions add': act('exceptions.grant', 'exceptions'),
  'exceptions approve': act('exceptions.grant', 'exceptions'),
  'exceptions revoke': act('exceptions.revoke', 'exceptions'),
  explain: act('records.unmask', 'transfers', { only: 'unmask', shows: 'unmask' }),
  'limits rebuild': act('limits.rebuild', 'limits'),
  'limits snapshot': act('limits.snapshot', 'limits'),
  'lists import': act('lists.import', 'lists'),
  'lists activate': act('lists.activate', 'lists'),
  'migrate apply': act('stores.migrate', 'migrations', { isProvisioning: true }),
  'payouts cases show': act('records.unmask', 'cases', { shows: 'always' }),
  'payouts cases close': act('payouts.resolve', 'cases'),
  'policy propose': act('policies.propose', 'policies'),
  produce: act('transfers.submit', 'transfers'),
  'quotes request': act('quotes.ask', 'quotes'),
  'rates import': act('rates.import', 'rates'),
  'rates watch': act('rates.import', 'rates'),
  'rates accept': act('rates.accept', 'rates'),
  'schemas push': act('schemas.push', 'schemas', { isProvisioning: true }),
  'topics apply': act('topics.apply', 'topics', { isProvisioning: true }),
  'transfers message': act('records.unmask', 'transfers', { only: 'unmask', shows: 'unmask' }),
  'topics resume': act('topics.resume', 'topics', { only: 'apply', isProvisioning: true }),
};

/** Commands that only look, at nobody's name or account, work on files alone, or are services. */
export const COMMAND_LOOKS: ReadonlySet<string> = new Set([
  ...['api', 'config', 'down', 'feed', 'run', 'screen', 'status', 'stuck', 'token', 'transfer', 'up', 'verify'],
  ...[
    'analytics export',
    'analytics report',
    'approvals list',
    'approvals show',
    'break-glass list',
    'cases holds',
    'cases list',
    'control show',
    'customers list',
  ],
  ...['login', 'logout', 'whoami', 'local-issuer approve', 'local-issuer deny', 'local-issuer serve'],
  ...['audit checkpoint', 'audit export', 'audit key', 'audit list', 'audit show', 'audit verify'],
  ...['dlq check', 'dlq export', 'dlq groups', 'dlq list', 'dlq replays list', 'dlq skips'],
  ...['exceptions list', 'lists diff', 'lists show', 'migrate status', 'payouts cases list', 'payouts list'],
  ...[
    'backtest',
    'fx positions',
    'limits audit',
    'limits backtest',
    'limits show',
    'policy diff',
    'policy list',
    'policy show',
  ],
  ...['quotes show', 'rates show'],
  ...['schemas check', 'schemas release', 'token api-key', 'topics plan', 'transfers list'],
]);

/** Commands that there are over the API alone, which writes their entries. */
export const ONLY_OVER_API: ReadonlySet<string> = new Set(['webhooks']);

/** The words of a command: `dlq replays show`. */
export function wordsOf(command: Command): string {
  const words: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) words.unshift(at.name());
  return words.join(' ');
}

export interface AuditedCommand {
  done(): Promise<void>;
  failed(error: unknown): Promise<void>;
}

let known: ActResult = {};
/** What a command knows of its act by now: what it made, what was decided on, its items. */
export function reportResult(more: ActResult): void {
  known = { ...known, ...more };
}

type OpenAudit = () => Promise<EntryLog & { end(): Promise<void> }>;

/**
 * Writes the entry of what is about to be done; undefined where a command only looks.
 * @throws CodedError AUDIT_UNAVAILABLE, and others of the log: then it is not done. LOOK_REASON_INVALID, TICKET_INVALID
 */
export async function beginAudited(
  command: Command,
  open: OpenAudit = openCommandAudit,
): Promise<AuditedCommand | undefined> {
  const terms = COMMAND_ACTS[wordsOf(command)];
  const options = command.opts<Readonly<Record<string, unknown>>>();
  if (!terms || (terms.only !== undefined && options[terms.only] === undefined)) return undefined;
  known = {};
  const asked = actOf(terms, command, options);
  try {
    const audit = await open();
    const partOf = await recorded(audit, asked, terms);
    const end = (acts: readonly Act[]) => finish(audit, terms.shows ? [] : acts);
    return {
      done: () => end(doneActs(asked, partOf)),
      failed: (error) => end([{ ...asked, outcome: 'FAILED', reasonCode: codeAndDetail(error).code, partOf }]),
    };
  } catch (error) {
    if (!terms.isProvisioning) throw error;
    printError(`Not in the audit log, which cannot be written yet: ${codeAndDetail(error).code}.`);
    return undefined;
  }
}

async function recorded(audit: EntryLog & { end(): Promise<void> }, asked: Act, { shows }: CommandAct) {
  try {
    const on = shows ? { ...asked.on, isKnown: true } : asked.on;
    const [entryId] = await audit.record([{ ...asked, on, outcome: shows ? 'VIEWED' : 'ALLOWED' }]);
    return entryId!;
  } catch (error) {
    await audit.end();
    throw error;
  }
}

function actOf({ action, kind, shows }: CommandAct, command: Command, options: Readonly<Record<string, unknown>>): Act {
  const [id] = command.processedArgs as readonly unknown[];
  const by = typeof options['by'] === 'string' ? options['by'] : userInfo().username;
  const who: Actor = { subject: by, roles: [], credential: 'CLAIMED' };
  const on = typeof id === 'string' ? { kind, id } : { kind };
  const common: Act = { who, action, on, outcome: 'ALLOWED' };
  if (!shows) return common;
  const reasonCode = shows === 'always' ? 'CASE_WORK' : lookReason(options['unmask']);
  const ticket = options['ticket'];
  return { ...common, reasonCode, ...(typeof ticket === 'string' ? { reference: ticketNumber(ticket) } : {}) };
}

function lookReason(given: unknown): string {
  if (LOOK_REASONS.some((known) => known === given)) return given as string;
  throw new CodedError('LOOK_REASON_INVALID', `the reason of an unmasked look is one of ${LOOK_REASONS.join(', ')}`);
}

function doneActs(asked: Act, partOf: string): readonly Act[] {
  const { items = [], on = { ...asked.on, isKnown: true }, reasonCode, decidedOn } = known;
  const { who, action } = asked;
  return [
    { ...asked, on, outcome: 'DONE', reasonCode, decidedOn, partOf },
    ...items.map((item): Act => ({ who, action, partOf, ...item })),
  ];
}

const CLOSE_MS = 5_000;

async function finish(audit: EntryLog & { end(): Promise<void> }, acts: readonly Act[]): Promise<void> {
  if (acts.length > 0) audit.note(acts);
  const isAll = await audit.close(CLOSE_MS);
  if (!isAll) printError('What came of it is not in the audit log: its entry says that it was let in, and no more.');
  await audit.end();
}

async function openCommandAudit(): Promise<EntryLog & { end(): Promise<void> }> {
  // Loaded by commands that act alone: it looks for the local stack, and a service has nothing of that.
  const { commandConfig } = await import('../connections.ts');
  const connections = new Connections(commandConfig(), 'corridor-cli');
  try {
    return { ...(await openAudit(connections, 'cli')), end: () => connections.close() };
  } catch (error) {
    await connections.close();
    throw error;
  }
}
