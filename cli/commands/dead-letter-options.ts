// What the commands on dead letters have in common: their filter, and how they show amounts.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { currencyOf } from '../../domain/money/currencies.ts';
import type { LetterFilter } from '../../operations/dead-letters/ports.ts';
import { LETTER_STATES, type LetterState } from '../../sinks/dead-letters/letter.ts';
import { formatMinor, withJson, withUnmask } from '../output.ts';

export interface FilterOptions {
  readonly letter?: readonly string[];
  readonly group?: string;
  readonly owner?: string;
  readonly code?: string;
  readonly corridor?: string;
  readonly transfer?: string;
  readonly state?: LetterState | 'ALL';
  readonly since?: Date;
}

export const amountText = (minor: bigint, currency: string) =>
  formatMinor(minor, currencyOf(currency)?.exponent ?? 0, currency);

/** Adds the options of a filter, but for the state. */
export function filtered(command: Command): Command {
  return command
    .option('--letter <id...>', 'these letters alone')
    .option('--group <id>', 'of this group')
    .option('--owner <name>', 'put aside by this processor or sink')
    .option('--code <code>', 'with this code')
    .option('--corridor <id>', 'of this corridor')
    .option('--transfer <id>', 'of this transfer')
    .option('--since <time>', 'put aside since then (ISO 8601)', instant);
}

/** The same, with the state. */
export const filteredByState = (command: Command): Command =>
  filtered(command).addOption(
    new Option('--state <state>', 'in this state').choices([...LETTER_STATES, 'ALL']).default('ALL'),
  );

export function filterFrom({
  state = 'ALL',
  letter,
  transfer,
  group,
  owner,
  code,
  corridor,
  since,
}: FilterOptions): LetterFilter {
  return {
    ...(letter && { ids: letter }),
    ...(state !== 'ALL' && { states: [state] }),
    ...(group !== undefined && { group }),
    ...(owner !== undefined && { owner }),
    ...(code !== undefined && { code }),
    ...(corridor !== undefined && { corridor }),
    ...(transfer !== undefined && { transferId: transfer }),
    ...(since && { since }),
  };
}

export const GROUP_COLUMNS = [
  ...(['group', 'owner', 'code', 'letters', 'new', 'per hour', 'money', 'corridors'] as const),
  ...(['oldest', 'last', 'cause', 'note'] as const),
] as const;

export const LETTER_COLUMNS = [
  ...(['letter', 'owner', 'code', 'class', 'state', 'transfer', 'corridor'] as const),
  ...(['amount', 'failed', 'replays'] as const),
] as const;

/** Begins `dlq groups`. */
export const groupsCommand = (dlq: Command): Command =>
  withJson(dlq.command('groups'))
    .description('dead letters by cause, the latest failure first')
    .option(
      '--new-since <time>',
      'count as new what was put aside since then (ISO 8601); default: one hour ago',
      instant,
    );

export interface NoteOptions {
  readonly note?: string;
  readonly assignee?: string;
  readonly incident?: string;
  readonly json?: boolean;
}

/** Begins `dlq note`. */
export const noteCommand = (dlq: Command): Command =>
  withJson(dlq.command('note'))
    .argument('<group>', 'id of the group')
    .description('write on a group what others should know: a note, who looks after it, the incident')
    .option('--note <text>', 'what is known; an empty text takes it away')
    .option('--assignee <person>', 'who looks after it')
    .option('--incident <id>', 'id or address of the incident');

/** A note in one cell. */
export const noteText = ({ assignee, incident, note }: { [K in 'assignee' | 'incident' | 'note']?: string | null }) =>
  [assignee && `@${assignee}`, incident, note].filter(Boolean).join(' ') || undefined;

/** Reads an option as an instant. */
export function instant(text: string): Date {
  const at = new Date(text);
  if (!Number.isNaN(at.getTime()) && /^\d{4}-\d{2}-\d{2}T/.test(text)) return at;
  throw new InvalidArgumentError('it must be an instant such as 2026-11-30T02:00:00Z');
}

export interface ShowLetterOptions {
  readonly record?: boolean;
  readonly unmask?: string;
  readonly ticket?: string;
}

export const showLetterCommand = (dlq: Command): Command =>
  withUnmask(dlq.command('show'))
    .argument('<letter>', 'id of the dead letter')
    .description('all that the index knows of one dead letter, or its record, as JSON')
    .option('--record', 'headers and decoded view of the record; --unmask shows its bytes too')
    .addHelpText(
      'after',
      `
Examples:
  corridor dlq show 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce
  corridor dlq show 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce --record`,
    );
