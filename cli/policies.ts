// What commands of policies have in common, on the log and over the API.
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { strictJson, strictText } from '../domain/text/strict-json.ts';
import type { PolicyStanding, ShownVersion, WholeVersion } from '../operations/policies/versions.ts';
import { CodedError } from '../ports/fault.ts';
import { instant } from './commands/dead-letter-options.ts';
import { print, printRows, toJson } from './output.ts';

const PROPOSE_HELP = `
Nothing that the broker took before counts by it, so a day in the past means at once. An id of a limit rule always counts the
same: a rule that counts something else needs another.

Examples:
  corridor policy propose limits --file rules-2026-12.json --from 2026-12-01T00:00:00Z --reason "new tiers, as decided on the 20th"
  corridor policy propose limits --version 3 --reason "back to version 3: the new tiers stop salaries"`;

/** `propose`, as it is asked for directly and over the API. */
export const proposeCommand = (policy: Command): Command =>
  policy
    .command('propose')
    .argument('<kind>', 'limits or terms')
    .description('ask to put a version in force; another person lets it through')
    .option('--file <file>', 'the policy, as JSON')
    .option('--version <number>', 'or: the content of an earlier version, to roll back', versionNumber)
    .option(
      '--from <instant>',
      'from when on it counts, such as 2026-12-01T00:00:00Z; default: once it is let through',
      instant,
    )
    .requiredOption('--reason <text>', 'why; stands in the log for ever, so no personal data')
    .addHelpText('after', PROPOSE_HELP);

/** Reads an argument as the number of a version; 0: what is configured. */
export function versionNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a version is a whole number');
}

/** What is proposed or compared: a file, or a version. @throws CodedError OPTION_INVALID, FILE_UNREADABLE */
export function contentOf({
  file,
  version,
}: {
  readonly file?: string | undefined;
  readonly version?: number | undefined;
}): number | { readonly content: unknown } {
  if ((file === undefined) === (version === undefined))
    throw new CodedError('OPTION_INVALID', 'name a file, or a version: one of the two');
  if (file === undefined) return version!;
  try {
    return { content: strictJson(strictText(readFileSync(file))) };
  } catch (error) {
    throw new CodedError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`);
  }
}

type Listed = Pick<PolicyStanding, 'kind' | 'inForce' | 'name' | 'last'> & { readonly versions: readonly AnyVersion[] };
type AnyVersion = Omit<ShownVersion, 'from' | 'activatedAt'> & {
  readonly from: number | string;
  readonly activatedAt: number | string;
};

const COLUMNS = ['kind', 'version', 'name', 'state', 'from', 'asked', 'approved', 'reason'] as const;

export function printPolicies(found: readonly Listed[], json: boolean): void {
  if (json) {
    console.log(toJson(found));
    return;
  }
  for (const { kind, inForce, name } of found)
    print(`${kind}: ${inForce === 0 ? `what is configured (here ${name})` : `version ${inForce}, ${name}`}`);
  const rows = found.flatMap(({ versions }) => versions.map(rowOf));
  if (rows.length > 0) printRows(rows, COLUMNS, false);
}

const rowOf = ({ kind, version, name, flaw, state, from, askedBy, approvedBy, reason }: AnyVersion) => ({
  ...{ kind, version, name: flaw ?? name, state, from: new Date(from), asked: askedBy, approved: approvedBy, reason },
});

export function printVersion(whole: AnyVersion & Pick<WholeVersion, 'content' | 'changes'>, json: boolean): void {
  if (json) {
    console.log(toJson(whole));
    return;
  }
  printRows([rowOf(whole)], COLUMNS, false);
  print(`SHA-256 ${whole.contentHash}, approval ${whole.approvalId}`);
  print(whole.changes.length === 0 ? 'nothing changed' : whole.changes.join('\n'));
  print(toJson(whole.content));
}

export function printAsked(asked: {
  readonly approvalId: string;
  readonly summary: string;
  readonly expiresAt: string;
}): void {
  print(`${asked.summary}. Another person lets it through until ${asked.expiresAt}:`);
  print(`  corridor approvals approve ${asked.approvalId} --reason "…"`);
}
