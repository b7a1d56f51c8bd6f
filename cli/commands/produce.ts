// `corridor produce FILE`: intents from newline-delimited JSON.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { z } from 'zod';
import { intentValue } from '../../operations/submissions/intent-log.ts';
import { CodedError } from '../../ports/fault.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { withConnections } from '../connections.ts';
import { type IntentLines, type IntentTerms, readIntentLines } from '../intent-lines.ts';
import { print, printError, toJsonLine, withJson } from '../output.ts';
import { progressBar } from '../progress.ts';
import { type Input, publish } from '../publish.ts';

const INTENTS = 'transfer.requested';

interface ProduceOptions {
  readonly skipBad?: boolean;
  readonly requestedAt?: string;
  readonly json?: boolean;
}

const MAX_BAD_LINES_NAMED = 20;

export function registerProduce(program: Command): void {
  withJson(program.command('produce'))
    .argument('<file>', 'one intent per line, as JSON; - for standard input')
    .description('publish transfer intents from a file')
    .option('--skip-bad', 'publish the good lines although others are bad')
    .addHelpText(
      'after',
      `
A bad line is reported with its number, and nothing is published unless --skip-bad is given. Whether an intent makes
sense (currencies, limits, check digits) is for intake to say, on intent.rejected. Bad is also what could be read in two
ways: bytes that are no UTF-8, a key that stands twice, a number that JSON does not hold exactly.

The time of an intent is part of what it says. A line without a requestedAt gets the time of this call; sent again without
--requested-at it says something else, and is refused as a conflict (DUPL). The first one is untouched.

Example:
  corridor produce intents.ndjson`,
    )
    .option('--requested-at <time>', 'stands in where a line names no requestedAt; default: now')
    .action((file: string, { skipBad, requestedAt: given, json }: ProduceOptions) =>
      withConnections(async ({ log, codec, config }) => {
        const requestedAt = instantOf(given);
        await codec.load([INTENTS]);
        const keep = (intent: TransferRequested): Input => ({
          key: intent.transferId,
          value: intentValue(intent, codec),
        });
        const { good, bad, undated, blank } = await readFile(file, { requestedAt, keep });
        for (const { line, problem } of bad.slice(0, MAX_BAD_LINES_NAMED)) printError(`line ${line}: ${problem}`);
        if (bad.length > MAX_BAD_LINES_NAMED) printError(`and ${bad.length - MAX_BAD_LINES_NAMED} bad lines more`);
        if (bad.length > 0 && !skipBad) {
          throw new CodedError(
            'BAD_LINES',
            `${bad.length} of ${good.length + bad.length} lines are bad, nothing was published: mend them, or pass --skip-bad`,
          );
        }
        const at = new Date(requestedAt).toISOString();
        // Before anything is sent: whoever stops here must be able to send the same again.
        if (undated > 0 && given === undefined) printError(`${undated} lines name no requestedAt: sent with ${at}`);
        const writer = await log.writer('produce');
        const bar = progressBar(good.length);
        const published = await publish(good, {
          writer,
          chainPartitions: config.kafka.chainPartitions,
          onPublished: (total) => bar.update(total),
        });
        bar.stop();
        await writer.close();
        const result = { published, skipped: bad.length, blank, undated, ...(undated > 0 ? { requestedAt: at } : {}) };
        const again = undated > 0 ? `; to send the same again, pass --requested-at ${at}` : '';
        print(json ? toJsonLine(result) : `published ${published}, skipped ${bad.length}${again}`);
      }),
    );
}

/** @throws CodedError OPTION_INVALID */
function instantOf(given: string | undefined): number {
  if (given === undefined) return Date.now();
  const parsed = z.iso.datetime({ offset: true }).safeParse(given);
  if (parsed.success) return Date.parse(given);
  throw new CodedError('OPTION_INVALID', '--requested-at must be a time such as 2026-11-23T09:00:00Z');
}

async function readFile(file: string, terms: IntentTerms<Input>): Promise<IntentLines<Input>> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(file);
  let unreadable: Error | undefined;
  input.on('error', (error: Error) => {
    unreadable = error;
  });
  try {
    return await readIntentLines(input, terms);
  } catch (error) {
    if (unreadable === undefined) throw error;
    throw new CodedError('FILE_UNREADABLE', `${file} cannot be read: ${unreadable.message}`);
  }
}
