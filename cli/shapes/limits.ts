// `corridor limits show` as it is typed and printed, over the API and on the stores alike.
import { Argument, type Command } from 'commander';
import type { LimitStandingDto } from '../../api/v1/limits-dto.ts';
import { LIMIT_SUBJECTS, type LimitSubject } from '../../domain/limits/limit-rules.ts';
import { CodedError } from '../../ports/fault.ts';
import { print, printError, printRows, toJson, withJson } from '../output.ts';

const KINDS = ['transfer', ...LIMIT_SUBJECTS] as const;
type Kind = (typeof KINDS)[number];

const HELP = `
Persons and accounts are named by their tokens, as the limits of a transfer show them; a pair by the token of the sender and that
of the beneficiary; a producer by its id, a provider by its name. It is as of now, and not of when a transfer was decided.
Exit code: 0; 2, less is counted than was used (it says why); 1, it could not be read.

Examples:
  corridor limits show transfer 7c1e…
  corridor limits show sender Jc0f…
  corridor limits show pair Jc0f… 9aXq… --json`;

/** `show`, as it is asked for directly and over the API. */
export const showCommand = (limits: Command): Command =>
  withJson(
    limits
      .command('show')
      .addArgument(new Argument('<kind>', 'of whom; transfer: of everybody in it').choices(KINDS))
      .argument('<id...>', 'its id or token; two tokens of a pair'),
  )
    .description('what somebody has used of limits, what is left, and when it frees')
    .addHelpText('after', HELP);

export type ShowAsked = { readonly transferId: string } | { readonly kind: LimitSubject; readonly subject: string };

/** @throws CodedError OPTION_INVALID */
export function askedIn(kind: Kind, ids: readonly string[]): ShowAsked {
  const isPair = kind === 'pair' && ids.length === 2;
  if (ids.length !== 1 && !isPair)
    throw new CodedError('OPTION_INVALID', kind === 'pair' ? 'a pair has two tokens' : `a ${kind} has one id`);
  return kind === 'transfer' ? { transferId: ids[0]! } : { kind, subject: ids.join('.') };
}

export function printStandings(found: readonly LimitStandingDto[], isJson: boolean): void {
  if (isJson) print(toJson(found));
  else for (const standing of found) printOne(standing);
  if (found.some(({ complete }) => !complete)) process.exitCode = 2;
}

function printOne({ subject, at, limitRules, items, isSeen, missing }: LimitStandingDto): void {
  print(`\n${subject.kind} ${subject.id}, by ${limitRules}, ${at}`);
  if (items.length === 0) print('No rule in force limits it.');
  else
    printRows(
      items.map(({ ruleId, action, used, limit, left, frees, openReservations: open, condition }) => ({
        ...{ rule: ruleId, above: action, used: used.text, limit: limit.text, left: left.text, open },
        'more left': frees === null ? null : `${frees.left.text} from ${frees.at}`,
        counts: condition ?? 'each transfer',
      })),
      ['rule', 'above', 'used', 'limit', 'left', 'open', 'more left', 'counts'],
      false,
    );
  for (const { text } of items) print(`  ${text}`);
  if (!isSeen && items.length > 0)
    print('Nothing is counted under this id in any window that is open: is it the right one?');
  for (const { source, code, detail } of missing) printError(`${source}: ${detail} (${code})`);
}
