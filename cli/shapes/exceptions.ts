// `corridor exceptions` as it is asked and printed, over the API and on the stores alike.
import type { Command } from 'commander';
import { MAX_DAYS } from '../../operations/exceptions/ask.ts';
import { count, withJson } from '../output.ts';

export interface AddExceptionOptions {
  readonly entity: string;
  readonly case?: string;
  readonly role: string;
  readonly token?: string;
  readonly days: number;
  readonly reason: string;
  readonly json?: boolean;
}

export const addExceptionCommand = (exceptions: Command): Command =>
  withJson(exceptions.command('add'))
    .description('ask that a counterparty may pass for one listed entity, until it expires or the entity changes')
    .requiredOption('--entity <id>', 'listed entity, such as OFAC:12345')
    .option('--case <id>', 'the case that showed it: the counterparty is taken from there')
    .option('--role <role>', 'which party of the case: debtor, creditor, intermediary-1, …', 'debtor')
    .option('--token <token>', 'or the token of the counterparty itself')
    .requiredOption('--days <n>', `how long it holds, 1 to ${MAX_DAYS} days`, count)
    .requiredOption('--reason <text>', 'why; kept');

export interface ListExceptionsOptions {
  readonly token?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export const listExceptionsCommand = (exceptions: Command): Command =>
  withJson(exceptions.command('list'))
    .description('exceptions, newest first, revoked and expired ones included')
    .option('--token <token>', 'of this counterparty only')
    .option('--limit <n>', 'at most this many', count, 50);

export const revokeExceptionCommand = (exceptions: Command): Command =>
  exceptions
    .command('revoke')
    .argument('<id>', 'exception')
    .description('end an exception now')
    .requiredOption('--reason <text>', 'why; kept');

export const EXCEPTION_COLUMNS = [
  ...(['exceptionId', 'entity', 'token', 'state', 'expires', 'by', 'approvedBy', 'reason'] as const),
];
