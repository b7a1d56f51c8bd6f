// `corridor exceptions add|approve|list|revoke`: counterparties that are known not to be a listed entity.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { caseStore } from '../../adapters/mongo/cases.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { type ExceptionStore, exceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import { justificationText, personName } from '../../domain/people/identities.ts';
import { wholeCase } from '../../operations/cases/holds/decide.ts';
import { approveException } from '../../operations/exceptions/approve.ts';
import { flawOfException, type StoredException } from '../../operations/exceptions/exception.ts';
import { CodedError } from '../../ports/fault.ts';
import { FIRST_INTERMEDIARY, tokensOf } from '../../screening/counterparties.ts';
import { entityHash } from '../../screening/lists/index.ts';
import { unpackEntities } from '../../screening/versions/packed.ts';
import type { Connections } from '../../services/connections.ts';
import { revocationsInLog } from '../../services/screening.ts';
import { withConnections } from '../connections.ts';
import { print, printRows, withJson } from '../output.ts';

/** Cases that were opened before intermediaries were known name none. */
const NONE_BESIDE = { intermediaryTokens: [] };
const DAY_MS = 86_400_000;

interface AddOptions {
  readonly entity: string;
  readonly case?: string;
  readonly role: string;
  readonly token?: string;
  readonly days: string;
  readonly reason: string;
  readonly by: string;
  readonly json?: boolean;
}

const withExceptions = (use: (store: ExceptionStore, connections: Connections) => Promise<void>) =>
  withConnections(async (connections) => {
    const revocations = revocationsInLog(connections);
    const store = exceptionStore(await connections.db(), { ...connections.config.keys, revocations });
    try {
      await store.ensureIndexes();
      await use(store, connections);
    } finally {
      await revocations.close();
    }
  });

export function registerExceptions(program: Command): void {
  const exceptions = program
    .command('exceptions')
    .description('counterparties that are known not to be a listed entity: add, approve, list, revoke');

  withJson(exceptions.command('add'))
    .description('ask that a counterparty may pass for one listed entity, until it expires or the entity changes')
    .requiredOption('--entity <id>', 'listed entity, such as OFAC:12345')
    .option('--case <id>', 'the case that showed it: the counterparty is taken from there')
    .option('--role <role>', 'which party of the case: debtor, creditor, intermediary-1, …', 'debtor')
    .option('--token <token>', 'or the token of the counterparty itself')
    .requiredOption('--days <n>', 'how long it holds, 1 to 366 days')
    .requiredOption('--reason <text>', 'why; kept')
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
        const days = Number(options.days);
        if (!(Number.isInteger(days) && days >= 1 && days <= 366)) {
          throw new CodedError(
            'OPTION_INVALID',
            `--days must be a whole number from 1 to 366 (it is "${options.days}")`,
          );
        }
        const token = await tokenOf(options, connections);
        const [source = '', entityId = ''] = split(options.entity);
        const now = Date.now();
        const exception = {
          exceptionId: randomUUID(),
          token,
          source,
          entityId,
          entityHash: await hashInForce(connections, source, options.entity),
          expiresAt: now + days * DAY_MS,
          grantedBy: personName(options.by),
          reason: justificationText(options.reason),
        };
        await store.propose(exception, now);
        printRows(
          [{ ...exception, expires: new Date(exception.expiresAt) }],
          ['exceptionId', 'source', 'entityId', 'token', 'expires'],
          options.json,
        );
      }),
    );

  exceptions
    .command('approve')
    .argument('<id>', 'exception')
    .description('let an exception through that another person asked for')
    .option('--by <person>', 'who approves', userInfo().username)
    .action((id: string, { by }: { by: string }) =>
      withExceptions(async (store, { config }) => {
        await approveException(store, id, { by, at: Date.now() }, config.keys.operators);
        print(`${id} is in force`);
      }),
    );

  withJson(exceptions.command('list'))
    .description('exceptions, newest first, revoked and expired ones included')
    .option('--token <token>', 'of this counterparty only')
    .option('--limit <n>', 'at most so many', '50')
    .action(({ token, limit, json }: { token?: string; limit: string; json?: boolean }) =>
      withExceptions(async (store, { config }) => {
        const { operators } = config.keys;
        const found = await store.list({ limit: Number(limit), ...(token === undefined ? {} : { token }) });
        const now = Date.now();
        printRows(
          found.map((each) => ({
            exceptionId: each.exceptionId,
            entity: `${each.source}:${each.entityId}`,
            token: each.token,
            state: flawOfException(operators, each) ? 'NOT SEALED' : stateOf(each, now),
            expires: new Date(each.expiresAt),
            by: each.grantedBy,
            approvedBy: each.approved?.by,
            reason: each.reason,
          })),
          ['exceptionId', 'entity', 'token', 'state', 'expires', 'by', 'approvedBy', 'reason'],
          json,
        );
      }),
    );

  exceptions
    .command('revoke')
    .argument('<id>', 'exception')
    .description('end an exception now')
    .requiredOption('--reason <text>', 'why; kept')
    .option('--by <person>', 'who revokes', userInfo().username)
    .action((id: string, { reason, by }: { reason: string; by: string }) =>
      withExceptions(async (store) => {
        await store.revoke(id, personName(by), justificationText(reason), Date.now());
        print(`${id} is revoked`);
      }),
    );
}

function stateOf({ revoked, expiresAt, approved }: StoredException, now: number): string {
  if (revoked) return 'revoked';
  if (expiresAt <= now) return 'expired';
  return approved ? 'in force' : 'waits for approval';
}

async function tokenOf(options: AddOptions, connections: Connections): Promise<string> {
  if (options.token !== undefined) return options.token;
  if (options.case === undefined) throw new CodedError('OPTION_MISSING', 'say --case or --token');
  const found = wholeCase(options.case, await caseStore(await connections.db()).find(options.case));
  const tokens = tokensOf({ ...NONE_BESIDE, ...found.held.instruction });
  const place = ['debtor', 'creditor'].indexOf(options.role.toLowerCase());
  const intermediary = /^intermediary-(\d+)$/i.exec(options.role)?.[1];
  const token = tokens[place < 0 ? FIRST_INTERMEDIARY + Number(intermediary) - 1 : place];
  if (token !== undefined) return token;
  const there = ['debtor', 'creditor', ...tokens.slice(FIRST_INTERMEDIARY).map((_, i) => `intermediary-${i + 1}`)];
  throw new CodedError('OPTION_INVALID', `--role must be one of: ${there.join(', ')} (it is "${options.role}")`);
}

/** The entity as the list in force has it: the exception is void when that changes. */
async function hashInForce(connections: Connections, source: string, id: string): Promise<string> {
  const store = listStore(await connections.db(), connections.config.keys);
  const active = (await store.active()).find((each) => each.source === source);
  if (!active?.isSealed) {
    throw new CodedError('NO_ACTIVE_LIST', `no list of ${source} is in force: see \`corridor lists show\``);
  }
  const { head, chunks } = await store.load(active.list.versionId);
  const entity = unpackEntities(chunks, active.list.contentHash).find((each) => each.id === id);
  if (entity) return entityHash(entity);
  throw new CodedError('ENTITY_UNKNOWN', `${head.versionId} has no entity ${id}`);
}

const split = (id: string): readonly string[] => {
  const at = id.indexOf(':');
  if (at > 0) return [id.slice(0, at), id.slice(at + 1)];
  throw new CodedError('OPTION_INVALID', `--entity must be SOURCE:ID (it is "${id}")`);
};
