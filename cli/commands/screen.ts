// `corridor screen`: parties or pairs in, hits or scores out, one JSON object a line, in a pipe.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import {
  buildIndex,
  type Candidate,
  comparePair,
  DEFAULT_CONFIG,
  readParty,
  type Screening,
  screenParty,
} from '../../processors/screening/engine/index.ts';
import { listsFromFiles } from './list-files.ts';

interface ScreenOptions {
  list?: string[];
  pairs?: boolean;
  schema: string;
}

export function registerScreen(program: Command): void {
  program
    .command('screen')
    .description('screen parties against sanctions lists, or compare pairs of parties')
    .argument('[name]', 'one name; without it, parties are read from standard input, one JSON object a line')
    .option('--list <file...>', 'list files of OFAC, UN, EU or UK, or in the format of SDN.CSV')
    .option('--pairs', 'read {id, schema, query, candidate} and print {id, score, match, features}')
    .option('--schema <schema>', 'what a party is when it does not say: Person, Company, Vessel …', 'LegalEntity')
    .addHelpText(
      'after',
      `
Examples:
  corridor screen --list sdn.csv alt.csv --schema Person "Jane Doe"
  corridor screen --list sdn.csv < parties.ndjson
  echo '{"id":1,"schema":"Person","query":{"name":"A"},"candidate":{"name":"B"}}' | corridor screen --pairs`,
    )
    .action(async (name: string | undefined, options: ScreenOptions) => {
      if (options.pairs) return eachLine(comparedPair);
      if (options.list === undefined) {
        program.error('error: name the lists to screen against with --list FILE…', { exitCode: 2 });
      }
      const index = buildIndex(await listsFromFiles(options.list), DEFAULT_CONFIG);
      const screened = (input: Record<string, unknown>): unknown => {
        const { id, schema, ...properties } = input;
        const party = readParty(typeof schema === 'string' ? schema : options.schema, properties);
        return resultOf(id, screenParty(index, party));
      };
      if (name === undefined) return eachLine(screened);
      await print(screened({ name }));
    });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function comparedPair({ id, schema, query, candidate }: Record<string, unknown>): unknown {
  if (!isRecord(query) || !isRecord(candidate)) {
    return { id, error: 'PAIR_INCOMPLETE', message: 'A pair needs query and candidate, each an object with a name.' };
  }
  const { score, match, features } = comparePair(
    typeof schema === 'string' ? schema : 'LegalEntity',
    query,
    candidate,
    DEFAULT_CONFIG,
  );
  return { id, score, match, features };
}

function resultOf(id: unknown, { outcome, code, hits }: Screening): unknown {
  return {
    ...(id === undefined ? {} : { id }),
    outcome,
    ...(code === undefined ? {} : { code }),
    hits: hits.map(hitOf),
  };
}

const hitOf = ({ entity, listedName, score, features }: Candidate): unknown => ({
  entity: entity.id,
  type: entity.type,
  name: listedName.full,
  quality: listedName.quality,
  score,
  features,
});

/** Answers every line with one line, in order; a line that is no JSON object is answered with an error. */
async function eachLine(answer: (input: Record<string, unknown>) => unknown): Promise<void> {
  // The reader of the pipe may stop early (`| head`): that is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  let line = 0;
  for await (const text of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === '') continue;
    await print(answerTo(text, line, answer));
  }
}

function answerTo(text: string, line: number, answer: (input: Record<string, unknown>) => unknown): unknown {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    process.exitCode = 1;
    return { line, error: 'LINE_NOT_JSON', message: 'Each line must be one JSON object.' };
  }
  if (isRecord(input)) return answer(input);
  process.exitCode = 1;
  return { line, error: 'LINE_NOT_OBJECT', message: 'Each line must be one JSON object.' };
}

async function print(value: unknown): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(value)}\n`)) await once(process.stdout, 'drain');
}
