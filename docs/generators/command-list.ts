// Every command with its options, as `corridor --help` knows them.
import { Command } from 'commander';
import { COMMANDS } from '../../cli/registry.ts';
import { remoteCommands } from '../../cli/remote/register.ts';

type Registry = Readonly<Record<string, () => Promise<(program: Command) => void>>>;

/** Commands that do something by themselves: a group may, too. */
function leavesOf(command: Command): readonly Command[] {
  const acts = (command as unknown as { readonly _actionHandler: unknown })._actionHandler;
  const below = command.commands.flatMap(leavesOf);
  return acts && command.parent ? [command, ...below] : below;
}

function wordsOf(command: Command): string {
  const words: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) words.unshift(at.name());
  return words.join(' ');
}

async function tableOf(registry: Registry): Promise<string> {
  const program = new Command('corridor');
  for (const register of new Set(await Promise.all(Object.values(registry).map((load) => load())))) register(program);
  const leaves = leavesOf(program).toSorted((one, other) => (wordsOf(one) < wordsOf(other) ? -1 : 1));
  return ['| command | what it does | options |', '|---|---|---|', ...leaves.map(row)].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function row(command: Command): string {
  const args = command.registeredArguments.map((each) => (each.required ? ` <${each.name()}>` : ` [${each.name()}]`));
  const options = command.options.map(({ flags, description }) => `\`${cell(flags)}\` ${cell(description)}`);
  return `| \`${wordsOf(command)}${cell(args.join(''))}\` | ${cell(command.description())} | ${options.join('<br>')} |`;
}

const onStores = await tableOf(COMMANDS);
const overApi = await tableOf(
  remoteCommands('http://127.0.0.1', () => {
    throw new Error('nothing is asked here');
  }),
);

export const commandsOnStores = (): string => onStores;
export const commandsOverApi = (): string => overApi;
