// Every command that a page shows is one that there is, with options that it has: what is copied from a page at night must run.
// Pages for whoever is on call show what goes over the API, where a command does; what works on the stores says --direct.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../cli/registry.ts';
import { remoteCommands } from '../cli/remote/register.ts';
import { routeOf } from '../cli/remote/route.ts';
import { commandsIn, type ShownCommand } from './testing/shown-commands.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const API = 'https://corridor.example.com';
const nobody = (): never => {
  throw new Error('nothing is asked here');
};
const REMOTE = remoteCommands(API, nobody);
// All are loaded before the first test: that takes as long as it takes, and is no test's time.
await Promise.all([...Object.values(COMMANDS), ...Object.values(REMOTE)].map((load) => load()));
const ON_CALL = ['docs/operations.md', ...globSync('docs/runbooks/*.md', { cwd: ROOT })];
const PAGES = [
  ...new Set([...ON_CALL, 'README.md', 'CONTRIBUTING.md', ...globSync('docs/*.md', { cwd: ROOT })]),
].filter((page) => page !== 'docs/commands.md');

/** Nothing is done: it is only read. */
async function parse(words: readonly string[], apiUrl: string | undefined): Promise<void> {
  const registry = apiUrl === undefined ? COMMANDS : { ...COMMANDS, ...REMOTE };
  const [name] = words;
  if (name === undefined || !Object.hasOwn(registry, name)) throw new Error(`there is no command ${name ?? ''}`);
  const program = new Command('corridor');
  (await registry[name]!())(program);
  quiet(program);
  await program.parseAsync([...words], { from: 'user' });
}

function quiet(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  const acts = (command as unknown as { readonly _actionHandler: unknown })._actionHandler;
  // What is there to say only that it is not over the API is no command.
  if (acts && command.description().startsWith('not over the API')) command.action(nobody);
  else if (acts) command.action(() => undefined);
  for (const each of command.commands) quiet(each);
}

const ONLY_NAMED = new Set(['commander.help', 'commander.missingArgument', 'commander.missingMandatoryOptionValue']);

/** What is wrong with it; undefined: nothing. */
async function flawOf(
  { words, isInBlock }: ShownCommand,
  apiUrl: string | undefined,
  isWhole = isInBlock,
): Promise<string | undefined> {
  try {
    const route = routeOf(words, apiUrl === undefined ? {} : { CORRIDOR_API_URL: apiUrl });
    await parse(route.argv, route.apiUrl);
    return undefined;
  } catch (error) {
    // In the text a command is often only named.
    if (error instanceof CommanderError && !isWhole && ONLY_NAMED.has(error.code)) return undefined;
    return error instanceof Error ? error.message : String(error);
  }
}

describe.each(PAGES)('%s', (page) => {
  it('shows commands that there are', async () => {
    const shown = commandsIn(readFileSync(path.join(ROOT, page), 'utf8'));
    const flaws = await Promise.all(
      shown.map(async (each) => {
        const overApi = await flawOf(each, API, each.isInBlock || page.startsWith('docs/runbooks/'));
        if (overApi === undefined) return undefined;
        // A command without a page of its own for the API, such as `verify`, is the same either way.
        const onStores = ON_CALL.includes(page) ? overApi : await flawOf(each, undefined, each.isInBlock);
        return onStores === undefined ? undefined : `${each.line}: ${onStores}`;
      }),
    );
    expect(flaws.filter((flaw) => flaw !== undefined)).toEqual([]);
  });
});

it('is looked at on many pages', () => {
  const shown = PAGES.map((page) => commandsIn(readFileSync(path.join(ROOT, page), 'utf8')).length);
  expect(ON_CALL.length).toBeGreaterThan(6);
  expect(shown.reduce((sum, some) => sum + some, 0)).toBeGreaterThan(150);
});

it('finds a command that there is not, an option that it has not, and a value that it does not take', async () => {
  const wrong = [
    'corridor dlq grouped',
    'corridor dlq groups --colour',
    'corridor dlq list --limit many',
    'corridor nothing',
  ];
  for (const line of wrong) expect(await flawOf(commandsIn(`\`\`\`sh\n${line}\n\`\`\``)[0]!, API), line).toBeDefined();
  expect(await flawOf(commandsIn('`corridor dlq groups --json`')[0]!, API)).toBeUndefined();
});

it('reads commands as a shell does', () => {
  const page = [
    '```sh',
    'corridor dlq note G --note "a \\"b\\" # c" --incident \'I 1\'   # a comment',
    'npm run -s corridor -- status | less',
    'corridor dlq export --format csv > letters.csv',
    'export A=1 B=$(npm run -s corridor -- token --role operator --as asha)',
    '```',
    'and `corridor stuck --kind A,B` inline, not `corridor` nor `corridor run|api`.',
  ].join('\n');
  expect(commandsIn(page).map(({ words }) => words)).toEqual([
    ['dlq', 'note', 'G', '--note', 'a "b" # c', '--incident', 'I 1'],
    ['status'],
    ['dlq', 'export', '--format', 'csv'],
    ['token', '--role', 'operator', '--as', 'asha'],
    ['stuck', '--kind', 'A,B'],
  ]);
});
