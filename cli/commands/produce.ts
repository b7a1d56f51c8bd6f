// `corridor produce FILE`: intents from newline-delimited JSON.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { z } from 'zod';
import { toTransferRequested, transferIntentV1 } from '../../api/v1/transfer-intent.ts';
import type { FedRecord } from '../../feed/fed-record.ts';
import { CodedError } from '../../runtime/ports/fault.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { withConnections } from '../connect.ts';
import { print, printError, toJsonLine, withJson } from '../output.ts';
import { publish } from '../publish.ts';
import { progressBar } from './feed.ts';

interface ProduceOptions {
  readonly skipBad?: boolean;
  readonly json?: boolean;
}
interface BadLine {
  readonly line: number;
  readonly problem: string;
}

const MOST_BAD_LINES_NAMED = 20;

export function registerProduce(program: Command): void {
  withJson(program.command('produce'))
    .argument('<file>', 'one intent per line, as JSON; - for standard input')
    .description('publish transfer intents from a file')
    .option('--skip-bad', 'publish the good lines although others are bad')
    .addHelpText(
      'after',
      `
A bad line is reported with its number, and nothing is published unless --skip-bad is given. Whether an intent makes
sense (currencies, limits, check digits) is for intake to say, on intent.rejected.

Example:
  corridor produce intents.ndjson`,
    )
    .action((file: string, { skipBad, json }: ProduceOptions) =>
      withConnections(async ({ log, codec, config }) => {
        const { good, bad } = await readIntents(file);
        for (const { line, problem } of bad.slice(0, MOST_BAD_LINES_NAMED)) printError(`line ${line}: ${problem}`);
        if (bad.length > MOST_BAD_LINES_NAMED) printError(`and ${bad.length - MOST_BAD_LINES_NAMED} bad lines more`);
        if (bad.length > 0 && !skipBad) {
          throw new CodedError(
            'BAD_LINES',
            `${bad.length} of ${good.length + bad.length} lines are bad, nothing was published: mend them, or pass --skip-bad`,
          );
        }
        await codec.load(['transfer.requested']);
        const writer = await log.writer('produce');
        const bar = progressBar(good.length);
        const records = good.map(
          (intent): FedRecord => ({
            key: intent.transferId,
            account: intent.transferId,
            value: codec.encode('transfer.requested', intent),
            expected: 'COMPLETED',
            kind: 'file',
          }),
        );
        const published = await publish(records, {
          writer,
          chainPartitions: config.kafka.chainPartitions,
          onPublished: (total) => bar.update(total),
        });
        bar.stop();
        await writer.close();
        const result = { published, skipped: bad.length };
        print(json ? toJsonLine(result) : `published ${published}, skipped ${bad.length}`);
      }),
    );
}

async function readIntents(file: string): Promise<{ good: TransferRequested[]; bad: BadLine[] }> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  const opened = new Promise<never>((_, reject) => {
    input.on('error', (error: Error) =>
      reject(new CodedError('FILE_UNREADABLE', `${file} cannot be read: ${error.message}`)),
    );
  });
  return Promise.race([readLines(input), opened]);
}

async function readLines(input: NodeJS.ReadableStream): Promise<{ good: TransferRequested[]; bad: BadLine[] }> {
  const good: TransferRequested[] = [];
  const bad: BadLine[] = [];
  const now = Date.now();
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    if (text.trim() === '') continue;
    const parsed = parseLine(text);
    if ('problem' in parsed) bad.push({ line, problem: parsed.problem });
    else good.push(toTransferRequested(parsed, now));
  }
  return { good, bad };
}

function parseLine(text: string): z.output<typeof transferIntentV1> | { problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problem: 'not JSON' };
  }
  const parsed = transferIntentV1.safeParse(json);
  if (parsed.success) return parsed.data;
  return {
    problem: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'line'}: ${message}`).join('; '),
  };
}
