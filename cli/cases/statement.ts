// The document in which a provider states what became of a payout, as options of a command: its hash is made from the file.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { StatedDocument } from '../../operations/cases/inbox/decide.ts';
import { isStated, type Verdict } from '../../operations/cases/inbox/verdict.ts';
import { flawOfStatement } from '../../operations/cases/payouts/statement.ts';
import { CodedError } from '../../ports/fault.ts';

export interface StatementOptions {
  readonly document?: string;
  readonly documentReference?: string;
  readonly documentDate?: string;
}

export const withStatement = (command: Command): Command =>
  command
    .option('--document <file>', 'with --paid and --unpaid: the statement or letter of the provider; it stays here')
    .option('--document-reference <text>', 'its line or number')
    .option('--document-date <day>', 'its date, YYYY-MM-DD');

/** @throws CodedError OPTION_MISSING, OPTION_INVALID */
export async function statementFrom(verdict: Verdict, options: StatementOptions): Promise<StatedDocument | undefined> {
  if (!isStated(verdict)) return undefined;
  const { document, documentReference: reference, documentDate: date } = options;
  if (document === undefined || reference === undefined || date === undefined) {
    throw new CodedError('OPTION_MISSING', 'say --document, --document-reference and --document-date');
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(document), hash).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('OPTION_INVALID', `the document cannot be read: ${error.code ?? 'unknown'}`);
  });
  const statement = { reference, date, documentSha256: hash.digest('hex') };
  const flaw = flawOfStatement(statement);
  if (flaw !== undefined) throw new CodedError('OPTION_INVALID', flaw);
  return statement;
}
