// `corridor screen`: parties or pairs in, hits or scores out, one JSON object a line, in a pipe.
import type { Command } from 'commander';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { comparedPair, listsInForce, screeningResult } from '../../operations/screening/screen.ts';
import { CodedError } from '../../ports/fault.ts';
import { buildIndex, DEFAULT_CONFIG, screenParty } from '../../screening/engine/index.ts';
import { plainParty, schemaOf } from '../../screening/plain-party.ts';
import { termsOf } from '../../services/screening.ts';
import { commandConfig, withConnections } from '../connections.ts';
import { readMixedFiles } from '../lists/read-files.ts';
import { answerLines } from '../ndjson.ts';
import { toJsonLine } from '../output.ts';

interface ScreenOptions {
  list?: string[];
  pairs?: boolean;
  schema: string;
}

export function registerScreen(program: Command): void {
  program
    .command('screen')
    .description('screen parties against the sanctions lists in force or in files, or compare pairs of parties')
    .argument('[name]', 'one name; without it, parties are read from standard input, one JSON object a line')
    .option(
      '--list <file...>',
      'list files of OFAC, UN, EU or UK, or in the format of SDN.CSV, instead of what is in force',
    )
    .option('--pairs', 'read {id, schema, query, candidate} and print {id, score, match, features}')
    .option('--schema <schema>', 'what a party is when it does not say: Person, Company, Vessel …', 'LegalEntity')
    .addHelpText(
      'after',
      `
Every line is answered by one line, in order. A line that cannot be used is answered with an error that names it, the next
ones follow, and the exit code is 1 in the end.

Examples:
  corridor screen --schema Person "Jane Doe"
  corridor screen --list sdn.csv alt.csv < parties.ndjson
  echo '{"id":1,"schema":"Person","query":{"name":"A"},"candidate":{"name":"B"}}' | corridor screen --pairs`,
    )
    .action(async (name: string | undefined, options: ScreenOptions) => {
      // The reader of the pipe may stop early (`| head`): that is no error of ours.
      process.stdout.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EPIPE') process.exit(0);
        throw error;
      });
      if (options.pairs) {
        if (name !== undefined) throw new CodedError('OPTION_INVALID', '--pairs reads from standard input, not a name');
        return eachLine((input, line) => comparedPair(input, line, options.schema));
      }
      // Files are screened against without any configuration, by the shipped terms.
      const index = options.list
        ? buildIndex(await readMixedFiles(options.list), DEFAULT_CONFIG)
        : buildIndex(await sourcesInForce(), termsOf(commandConfig()).base.config);
      const screened = (input: Readonly<Record<string, unknown>>): object => {
        const schema = schemaOf(input['schema'], input['kind']) ?? options.schema;
        return screeningResult(input['id'], screenParty(index, plainParty(schema, input)));
      };
      if (name === undefined) return eachLine(screened);
      console.log(toJsonLine(screened({ name })));
    });
}

async function eachLine(answer: Parameters<typeof answerLines>[2]): Promise<void> {
  if ((await answerLines(process.stdin, process.stdout, answer)) > 0) process.exitCode = 1;
}

const sourcesInForce = () =>
  withConnections(async (connections) => listsInForce(listStore(await connections.db(), connections.config.keys)));
