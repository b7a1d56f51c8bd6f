// What remote commands have in common: queries, and commands that are not over the API.
import type { Command } from 'commander';
import { CodedError } from '../../ports/fault.ts';

/** `?a=1&b=2` of what is given; empty: nothing is. */
export function queryOf(asked: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}

/** Commands that need stores, keys or a build. */
export function onlyDirect(parent: Command, names: readonly string[], instead?: string): void {
  for (const name of names) {
    const more = instead === undefined ? '' : `, or ${instead}`;
    parent
      .command(name)
      .allowUnknownOption()
      .allowExcessArguments()
      .description(`not over the API: with --direct${more}`)
      .action(() => {
        throw new CodedError('OPTION_INVALID', `\`${parent.name()} ${name}\` works on the stores: say --direct${more}`);
      });
  }
}
