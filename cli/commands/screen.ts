// `corridor screen`: parties or pairs in, hits or scores out, one JSON object a line, in a pipe.
import type { Command } from 'commander';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { CodedError } from '../../ports/fault.ts';
import {
  buildIndex,
  type Candidate,
  compareParties,
  DEFAULT_CONFIG,
  type IndexSource,
  type Party,
  type Screening,
  screenParty,
  wordsOf,
} from '../../screening/engine/index.ts';
import { isRecord, plainParty, schemaOf } from '../../screening/plain-party.ts';
import { unpackEntities } from '../../screening/versions/packed.ts';
import { engineReference, versionIdOf } from '../../screening/versions/version.ts';
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
        : buildIndex(await listsInForce(), termsOf(commandConfig()).base.config);
      const screened = (input: Readonly<Record<string, unknown>>): object => {
        const schema = schemaOf(input['schema'], input['kind']) ?? options.schema;
        return resultOf(input['id'], screenParty(index, plainParty(schema, input)));
      };
      if (name === undefined) return eachLine(screened);
      console.log(toJsonLine(screened({ name })));
    });
}

async function eachLine(answer: Parameters<typeof answerLines>[2]): Promise<void> {
  if ((await answerLines(process.stdin, process.stdout, answer)) > 0) process.exitCode = 1;
}

const listsInForce = (): Promise<readonly IndexSource[]> =>
  withConnections(async (connections) => {
    const store = listStore(await connections.db(), connections.config.keys);
    const active = await store.current();
    if (active.length === 0) {
      throw new CodedError('NO_ACTIVE_LIST', 'no sanctions list is in force: activate one, or name files with --list');
    }
    return Promise.all(
      active.map(async (list) => ({
        list: engineReference(list),
        entities: unpackEntities((await store.load(list.versionId)).chunks, list.contentHash),
      })),
    );
  });

function comparedPair(
  { id, schema, query, candidate }: Readonly<Record<string, unknown>>,
  line: number,
  otherwise: string,
): object {
  if (!isSide(query) || !isSide(candidate)) {
    const message = 'A pair needs query and candidate, each an object with a name.';
    return { ...known(id), line, error: 'PAIR_INCOMPLETE', message };
  }
  const what = schemaOf(schema, schemaIn(query), schemaIn(candidate)) ?? otherwise;
  const sides = [plainParty(what, query), plainParty(what, candidate)] as const;
  const { score, match, features } = compareParties(...sides, DEFAULT_CONFIG);
  const compared = { ...known(id), score, match, features };
  // What was not compared must not be taken for "somebody else".
  const code = match ? undefined : sides.map(unreadable).find((each) => each !== undefined);
  return code === undefined ? compared : { ...compared, line, error: code, message: UNREADABLE[code] };
}

type Side = Readonly<Record<string, unknown>> | string;
const isSide = (value: unknown): value is Side => typeof value === 'string' || isRecord(value);
const schemaIn = (side: Side): unknown => (typeof side === 'string' ? undefined : (side['schema'] ?? side['kind']));
const known = (id: unknown): object => (id === undefined ? {} : { id });

const UNREADABLE = {
  NAME_MISSING: 'One side has no name with a letter or digit that could be compared.',
  NAME_TOO_LONG: 'A name is longer than what is compared; the rest was not looked at.',
} as const;

function unreadable({ names, weakNames }: Party): keyof typeof UNREADABLE | undefined {
  const whole = names.map(({ name, given, family }) => name ?? `${given ?? ''} ${family ?? ''}`);
  const read = [...whole, ...weakNames].map(wordsOf);
  if (read.every(({ words }) => words.length === 0)) return 'NAME_MISSING';
  return read.some(({ cut }) => cut) ? 'NAME_TOO_LONG' : undefined;
}

function resultOf(id: unknown, { outcome, code, hits, lists }: Screening): object {
  return {
    ...known(id),
    outcome,
    ...(code === undefined ? {} : { code }),
    hits: hits.map(hitOf),
    lists: lists.map(versionIdOf),
  };
}

const hitOf = ({ entity, listedName, score, threshold, features }: Candidate): object => ({
  entity: entity.id,
  type: entity.type,
  name: listedName.full,
  quality: listedName.quality,
  score,
  threshold,
  features,
});
