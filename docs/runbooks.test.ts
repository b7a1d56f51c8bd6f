// Commands of the pages for whoever is on call are commands that there are, with options that they have.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { registerApprovals } from '../cli/commands/approvals.ts';
import { registerCases } from '../cli/commands/cases.ts';
import { registerConfig } from '../cli/commands/config.ts';
import { registerDeadLetters } from '../cli/commands/dead-letters.ts';
import { registerPayoutCases } from '../cli/commands/payout-cases.ts';
import { registerStatus } from '../cli/commands/status.ts';
import { registerStuck } from '../cli/commands/stuck.ts';
import { registerTopics } from '../cli/commands/topics.ts';
import { registerTransfer } from '../cli/commands/transfer.ts';
import { registerTransfers } from '../cli/commands/transfers.ts';
import { registerWebhooks } from '../cli/commands/webhooks.ts';
import { registerUpDown } from '../cli/dev/up-down.ts';

const PAGES = path.join(import.meta.dirname, 'runbooks');
const program = new Command('corridor');
for (const register of [
  ...[registerApprovals, registerCases, registerConfig, registerDeadLetters, registerPayoutCases, registerStatus],
  ...[registerStuck, registerTopics, registerTransfer, registerTransfers, registerUpDown, registerWebhooks],
])
  register(program);

/** Every `corridor …` of a page: in code, and on the lines of examples. */
const commandsIn = (page: string): readonly string[] => [
  ...new Set(
    [...readFileSync(path.join(PAGES, page), 'utf8').matchAll(/(?:^\s*|`)corridor ([^`\n]+)/gm)].map(([, words]) =>
      words!.trim(),
    ),
  ),
];

/** The command that these words name, and the words that are its own. */
function commandOf(words: readonly string[]): { readonly command: Command; readonly rest: readonly string[] } {
  let command = program;
  for (const [place, word] of words.entries()) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) return { command, rest: words.slice(place) };
    command = next;
  }
  return { command, rest: [] };
}

const pages = readdirSync(PAGES).filter((file) => file.endsWith('.md'));

describe('the pages for whoever is on call', () => {
  it('have commands', () => {
    expect(pages.length).toBeGreaterThan(5);
    expect(pages.flatMap(commandsIn).length).toBeGreaterThan(20);
  });

  it.each(pages.flatMap((page) => commandsIn(page).map((command) => [page, command] as const)))(
    '%s: corridor %s',
    (_page, text) => {
      const { command, rest } = commandOf([...text.matchAll(/"[^"]*"|\S+/g)].map(([word]) => word));
      // A group is no command, unless it does something by itself.
      const isGroup = command.commands.length > 0 && rest.length === 0;
      expect(isGroup ? `${command.name()} is a group` : command.name()).not.toContain('is a group');
      expect(command).not.toBe(program);
      const known = command.options.map(({ long }) => long);
      const options = rest.filter((word) => word.startsWith('--'));
      expect(options.filter((option) => !known.includes(option))).toEqual([]);
      const required = command.options.filter(({ mandatory, defaultValue }) => mandatory && defaultValue === undefined);
      expect(required.map(({ long }) => long).filter((long) => !options.includes(long!))).toEqual([]);
      const values = options.filter((option) => command.options.find(({ long }) => long === option)!.required).length;
      const given = rest.length - options.length - values;
      const needed = command.registeredArguments.filter(({ required: isNeeded }) => isNeeded).length;
      expect(given).toBeGreaterThanOrEqual(needed);
      expect(given).toBeLessThanOrEqual(command.registeredArguments.length);
    },
  );
});
