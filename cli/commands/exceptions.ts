// `corridor exceptions add|approve|list|revoke`: counterparties that are known not to be a listed entity.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { caseStore } from '../../adapters/mongo/cases.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { type ExceptionStore, exceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { personWithKeys } from '../../operations/access/principal.ts';
import type { Approval } from '../../operations/approvals/approval.ts';
import { decideApproval } from '../../operations/approvals/approvals.ts';
import { executeApproval } from '../../operations/approvals/execute.ts';
import {
  approveException,
  askForException,
  type ExceptionRequest,
  type ExceptionState,
  listExceptions,
  revokeException,
} from '../../operations/exceptions/exceptions.ts';
import type { PublishRevocation } from '../../operations/exceptions/ports.ts';
import { approvalIdOf, askToGrant } from '../../operations/exceptions/second-person.ts';
import { CodedError } from '../../ports/fault.ts';
import { type ApprovalDesk, openApprovals } from '../../services/approvals.ts';
import type { Connections } from '../../services/connections.ts';
import { revocationsInLog } from '../../services/screening.ts';
import { withConnections } from '../connections.ts';
import { print, printCut, printRows } from '../output.ts';
import {
  type AddExceptionOptions,
  addExceptionCommand,
  EXCEPTION_COLUMNS,
  type ListExceptionsOptions,
  listExceptionsCommand,
  revokeExceptionCommand,
} from '../shapes/exceptions.ts';

interface AddOptions extends AddExceptionOptions {
  readonly by: string;
}

const withExceptions = (
  use: (store: ExceptionStore, connections: Connections, publish: PublishRevocation | undefined) => Promise<void>,
) =>
  withConnections(async (connections) => {
    const revocations = revocationsInLog(connections);
    const store = exceptionStore(await connections.db(), { ...connections.config.keys, revocations });
    try {
      await store.ensureIndexes();
      await use(store, connections, revocations.publish);
    } finally {
      await revocations.close();
    }
  });

export function registerExceptions(program: Command): void {
  const exceptions = program
    .command('exceptions')
    .description('counterparties that are known not to be a listed entity: add, approve, list, revoke');
  registerAdd(exceptions);
  registerApprove(exceptions);
  registerList(exceptions);
  registerRevoke(exceptions);
}

function registerAdd(exceptions: Command): void {
  addExceptionCommand(exceptions)
    .option('--by <person>', 'who asks', userInfo().username)
    .addHelpText(
      'after',
      `
An exception counts once another person has approved it (exceptions approve). An identical identifier (a passport number, an
IMO number) is never excused.

Example:
  corridor exceptions add --entity OFAC:12345 --case 0d5c… --days 180 --reason "born 1985, listed person 1961"`,
    )
    .action((options: AddOptions) =>
      withExceptions(async (store, connections) => {
        const db = await connections.db();
        const { keys } = connections.config;
        const { entity, days, by, reason } = options;
        const request = { exceptionId: randomUUID(), entity, days, by, reason, at: Date.now() };
        const exception = await askForException(
          { store, holds: caseStore(db), lists: listStore(db, keys) },
          { ...request, counterparty: counterpartyOf(options) },
          keys.operators,
        );
        const { store: approvals } = await openApprovals(connections);
        await askToGrant(approvals, exception, exception.grantedAt, keys.operators);
        printRows(
          [{ ...exception, expires: new Date(exception.expiresAt) }],
          ['exceptionId', 'source', 'entityId', 'token', 'expires'],
          options.json,
        );
      }),
    );
}

function registerApprove(exceptions: Command): void {
  exceptions
    .command('approve')
    .argument('<id>', 'exception')
    .description('let an exception through that another person asked for')
    .option('--by <person>', 'who approves', userInfo().username)
    .action((id: string, { by }: { by: string }) =>
      withExceptions(async (store, connections) => {
        const { operators } = connections.config.keys;
        const desk = await openApprovals(connections);
        const asked = await desk.store.find(approvalIdOf(id));
        // Asked for before there was one list of all acts.
        const at = (await store.clock(new Date())).getTime();
        if (!asked) await approveException(store, id, { by, at }, operators);
        else await letThrough(desk, asked, by, operators);
        print(`${id} is in force`);
      }),
    );
}

function registerList(exceptions: Command): void {
  listExceptionsCommand(exceptions).action(({ token, limit, json }: ListExceptionsOptions) =>
    withExceptions(async (store, { config }) => {
      const { operators } = config.keys;
      const filter = { limit: limit + 1, ...(token === undefined ? {} : { token }) };
      const all = await listExceptions(store, filter, { operators, now: Date.now() });
      const found = all.slice(0, limit);
      printRows(
        found.map((each) => ({
          exceptionId: each.exceptionId,
          entity: `${each.source}:${each.entityId}`,
          token: each.token,
          state: STATES[each.state],
          expires: new Date(each.expiresAt),
          by: each.grantedBy,
          approvedBy: each.approved?.by,
          reason: each.reason,
        })),
        EXCEPTION_COLUMNS,
        json,
      );
      printCut(all.length <= limit, limit, 'These are the newest: say --limit.');
    }),
  );
}

function registerRevoke(exceptions: Command): void {
  revokeExceptionCommand(exceptions)
    .option('--by <person>', 'who revokes', userInfo().username)
    .action((id: string, { reason, by }: { reason: string; by: string }) =>
      withExceptions(async (store, { config }, publish) => {
        await revokeException({ store, publish }, id, { by, reason, at: Date.now() }, config.keys.operators);
        print(`${id} is revoked`);
      }),
    );
}

async function letThrough(
  { store, handlers }: ApprovalDesk,
  { _id: id, hash }: Approval,
  by: string,
  operators: KeyRing,
): Promise<void> {
  const at = new Date();
  const deciding = { id, hash, verdict: 'APPROVED', by: personWithKeys(by), reason: 'approved', at } as const;
  await decideApproval(store, deciding, operators);
  await executeApproval(store, id, { handlers, operators, at });
}

const STATES: Readonly<Record<ExceptionState, string>> = {
  WAITING: 'waits for approval',
  'IN FORCE': 'in force',
  EXPIRED: 'expired',
  REVOKED: 'revoked',
  'NOT SEALED': 'NOT SEALED',
};

function counterpartyOf({ token, case: holdId, role }: AddOptions): ExceptionRequest['counterparty'] {
  if (token !== undefined) return { token };
  if (holdId !== undefined) return { holdId, role };
  throw new CodedError('OPTION_MISSING', 'say --case or --token');
}
