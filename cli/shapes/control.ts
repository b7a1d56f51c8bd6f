// `corridor control` and `corridor break-glass` as they are asked and printed, over the API and on the stores alike.
import type { Command } from 'commander';
import { DEFAULT_GLASS_MINUTES, MAX_GLASS_MINUTES } from '../../operations/break-glass/break-glass.ts';
import { count, printRows, withJson } from '../output.ts';

const TARGETS = `
What can be paused:
  processor/limits      one processor or sink; payout-executor: no payout begins
  partition/limits/3    one partition of the chain, of one processor
  corridor/GB-IN        payouts of a corridor
  provider/NAME         payouts at a provider
  rail/SCT              payouts on a rail
`;
const LOGGED = 'why; stands in the log for ever, so no personal data';

export const controlCommand = (program: Command): Command =>
  program.command('control').description('pause parts of the running pipeline, and have them go on');

/** @param note more help, behind what can be paused */
export const pauseCommand = (control: Command, note = ''): Command =>
  control
    .command('pause')
    .argument('<target>', 'what: see below')
    .description('pause it now, alone: stopping moves no money')
    .requiredOption('--reason <text>', LOGGED)
    .addHelpText(
      'after',
      `${TARGETS}${note}
Example:
  corridor control pause corridor/GB-IN --reason "the provider pays twice, ticket 4711"`,
    );

export const resumeCommand = (control: Command): Command =>
  control
    .command('resume')
    .argument('<target>', 'what: as it was paused')
    .description('ask for it to go on; another person lets it through')
    .requiredOption('--reason <text>', LOGGED)
    .addHelpText('after', '\nExample:\n  corridor control resume corridor/GB-IN --reason "mended, ticket 4711"');

export const showControlsCommand = (control: Command): Command =>
  withJson(control.command('show'))
    .description('what is paused, the latest first')
    .option('--all', 'also what was resumed')
    .addHelpText('after', '\nExample:\n  corridor control show');

interface ListedControl {
  readonly what: string;
  readonly state: string;
  readonly changedBy: string;
  readonly approvedBy?: string | null | undefined;
  readonly changedAt: Date | string;
  readonly reason: string | null;
}

export function printControls(controls: readonly ListedControl[]): void {
  const rows = controls.map(({ what, state, changedBy, approvedBy, changedAt, reason }) => ({
    ...{ what, state, since: changedAt, reason },
    by: approvedBy ? `${changedBy}, ${approvedBy}` : changedBy,
  }));
  printRows(rows, ['what', 'state', 'since', 'by', 'reason']);
}

export const glassCommand = (program: Command): Command =>
  program
    .command('break-glass')
    .description('let through alone what takes two, when there is nobody else; everybody is told');

export const openGlassCommand = (glass: Command): Command =>
  glass
    .command('open')
    .description('break the glass for yourself, for some minutes')
    .requiredOption('--reason <text>', 'why nobody else can be asked; stands in the log for ever')
    .option('--minutes <n>', `how long, ${MAX_GLASS_MINUTES} at most`, count, DEFAULT_GLASS_MINUTES)
    .addHelpText(
      'after',
      `
It alarms: health, metrics and log of every process say so until another person has reviewed it.

Example:
  corridor break-glass open --minutes 10 --reason "alone on call, the corridor must go on before the cut-off"`,
    );

export const listGlassCommand = (glass: Command): Command =>
  withJson(glass.command('list'))
    .description('every glass that was broken, those without a review first, with what was done under it')
    .addHelpText('after', '\nExample:\n  corridor break-glass list');

export const reviewGlassCommand = (glass: Command): Command =>
  glass
    .command('review')
    .argument('<glass>', 'id of the glass')
    .description('close it: you have looked at what was done under it. Never by who broke it')
    .requiredOption('--text <text>', 'what you found; stands in the log for ever')
    .addHelpText(
      'after',
      '\nExample:\n  corridor break-glass review 0b0c… --text "one resumption, as ticket 4711 says"',
    );

interface ListedGlass {
  readonly glass: string;
  readonly by: string;
  readonly until: Date | string;
  readonly reason: string;
  readonly acts: readonly { readonly act: string; readonly subject: string; readonly state: string }[];
  readonly review?: { readonly by: string; readonly text: string } | null | undefined;
}

export function printGlasses(glasses: readonly ListedGlass[]): void {
  const rows = glasses.map(({ glass, by, until, reason, acts, review }) => ({
    ...{ glass, by, until, reason },
    done: acts.map(({ act, subject, state }) => `${act} ${subject} ${state}`).join('; ') || null,
    review: review ? `${review.by}: ${review.text}` : 'OPEN',
  }));
  printRows(rows, ['glass', 'by', 'until', 'reason', 'done', 'review']);
}
