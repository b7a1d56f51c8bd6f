// Exceptions as people work on them: asked for by one person, approved by another, revoked by anybody, never deleted.
import { justificationText, personName } from '../../domain/people/identities.ts';
import { type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import { CodedError } from '../../ports/fault.ts';
import { askedContent, revokedContent, type ScreeningException } from '../../screening/exceptions.ts';
import { entityHash } from '../../screening/lists/index.ts';
import { unpackEntities } from '../../screening/versions/packed.ts';
import type { ListStore } from '../../screening/versions/store.ts';
import { wholeCase } from '../cases/holds/decide.ts';
import type { HoldCases } from '../cases/holds/ports.ts';
import { entityNamed, expiryAfter, tokenOfRole } from './ask.ts';
import { approvalOf, notWaiting } from './decide.ts';
import { flawOfException, isAsked, type StoredException } from './exception.ts';
import type { Exceptions, PublishRevocation } from './ports.ts';

/** What a person asks for. */
export interface ExceptionRequest {
  readonly exceptionId: string;
  /** Listed entity: SOURCE:ID. */
  readonly entity: string;
  /** Who is to pass for it: a token, or a party of a case. */
  readonly counterparty: { readonly token: string } | { readonly holdId: string; readonly role: string };
  /** How long it holds, from now. */
  readonly days: number;
  readonly by: string;
  readonly reason: string;
  /** ms since 1970, by the clock of who asks: that of the store counts */
  readonly at: number;
}

export interface ExceptionSources {
  readonly store: Pick<Exceptions, 'clock' | 'insert' | 'list'>;
  readonly holds: Pick<HoldCases, 'find'>;
  readonly lists: Pick<ListStore, 'active' | 'load'>;
}

/**
 * Asks for an exception. It is bound to the entity as the list in force has it, and counts once another person approves it.
 * The same id again is the same question: what is kept is answered.
 * @throws DomainError PERSON_INVALID, JUSTIFICATION_INVALID
 * @throws CodedError OPTION_INVALID, CASE_UNKNOWN, CASE_ALTERED, NO_ACTIVE_LIST, ENTITY_UNKNOWN, EXCEPTION_TAKEN
 */
export async function askForException(
  { store, holds, lists }: ExceptionSources,
  { exceptionId, entity, counterparty, days, by, reason, at: own }: ExceptionRequest,
  operators: KeyRing,
): Promise<StoredException> {
  const { source, entityId } = entityNamed(entity);
  const at = (await store.clock(new Date(own))).getTime();
  const expiresAt = expiryAfter(days, at);
  const who = { grantedBy: personName(by), reason: justificationText(reason) };
  const token = await tokenOf(counterparty, holds);
  const hash = await hashInForce(lists, source, entity);
  const exception = { exceptionId, token, source, entityId, entityHash: hash, expiresAt, ...who };
  const seal = sealOf(operators, 'exception', askedContent(exception));
  const asked: StoredException = { ...exception, grantedAt: at, approved: null, revoked: null, seal };
  if (await store.insert(asked)) return asked;
  const known = (await store.list({ token, limit: MAX_OF_TOKEN })).find((each) => each.exceptionId === exceptionId);
  if (known && isAsked(operators, known) && isSameQuestion(known, asked)) return known;
  throw taken(exceptionId);
}

/** Exceptions of one counterparty that are looked through. */
const MAX_OF_TOKEN = 1_000;

/** Whether the same person asks for the same, for as long. */
function isSameQuestion(known: StoredException, asked: StoredException): boolean {
  const parts = ({ source, entityId, grantedBy, reason, expiresAt, grantedAt }: StoredException) =>
    JSON.stringify([source, entityId, grantedBy, reason, expiresAt - grantedAt]);
  return parts(known) === parts(asked);
}

const taken = (exceptionId: string): CodedError =>
  new CodedError('EXCEPTION_TAKEN', `there is an exception ${exceptionId} already`);

/**
 * Keeps an exception that counts for nothing until it is approved, sealed as it was asked for.
 * @throws CodedError EXCEPTION_TAKEN: the id is in use
 */
export async function proposeException(
  store: Pick<Exceptions, 'insert'>,
  exception: ScreeningException,
  at: number,
  operators: KeyRing,
): Promise<void> {
  const seal = sealOf(operators, 'exception', askedContent(exception));
  if (await store.insert({ ...exception, grantedAt: at, approved: null, revoked: null, seal })) return;
  throw taken(exception.exceptionId);
}

/**
 * Lets it through. What is approved is what was found: the seal is over it.
 * @throws DomainError and CodedError as `approvalOf`
 */
export async function approveException(
  store: Pick<Exceptions, 'waiting' | 'approve'>,
  exceptionId: string,
  asked: { readonly by: string; readonly at: number },
  operators: KeyRing,
): Promise<void> {
  const found = await store.waiting(exceptionId, asked.at);
  const approved = approvalOf(exceptionId, found, asked, operators);
  if (!(await store.approve(exceptionId, approved))) throw notWaiting(exceptionId);
}

/**
 * Ends it: in the log first, which cannot be taken back, then in the store. In the log always: what the database says of it
 * may be a stranger's word, and gone tomorrow.
 * @param publish absent: there is no log, and the store alone counts
 * @throws DomainError PERSON_INVALID, JUSTIFICATION_INVALID
 * @throws CodedError EXCEPTION_UNKNOWN for one that the store does not have in force; it is in the log all the same
 */
export async function revokeException(
  { store, publish }: { readonly store: Pick<Exceptions, 'revoke'>; readonly publish?: PublishRevocation | undefined },
  exceptionId: string,
  asked: { readonly by: string; readonly reason: string; readonly at: number },
  operators: KeyRing,
): Promise<void> {
  const revoked = { at: asked.at, by: personName(asked.by), reason: justificationText(asked.reason) };
  await publish?.({ exceptionId, revokedAt: revoked.at, revokedBy: revoked.by });
  const seal = sealOf(operators, 'exception', revokedContent(exceptionId, revoked));
  if (await store.revoke(exceptionId, { ...revoked, seal })) return;
  throw new CodedError(
    'EXCEPTION_UNKNOWN',
    publish
      ? `exception ${exceptionId} is revoked in the log; the database has none in force: see \`exceptions list\``
      : `there is no exception ${exceptionId} in force: see \`exceptions list\``,
  );
}

export const EXCEPTION_STATES = ['WAITING', 'IN FORCE', 'EXPIRED', 'REVOKED', 'NOT SEALED'] as const;
export type ExceptionState = (typeof EXCEPTION_STATES)[number];

/** An exception with what it counts for at a moment. */
export type ListedException = StoredException & { readonly state: ExceptionState };

/** Exceptions, the newest first, those that have ended included. `now`: ms since 1970, by the caller's clock. */
export async function listExceptions(
  store: Pick<Exceptions, 'clock' | 'list'>,
  filter: { readonly token?: string; readonly limit: number },
  { operators, now }: { readonly operators: KeyRing; readonly now: number },
): Promise<readonly ListedException[]> {
  const [at, found] = await Promise.all([store.clock(new Date(now)), store.list(filter)]);
  return found.map((each) => ({ ...each, state: stateOf(each, operators, at.getTime()) }));
}

/** What nobody sealed excuses nobody, whatever it says. Pure. */
export function stateOf(exception: StoredException, operators: KeyRing, now: number): ExceptionState {
  if (flawOfException(operators, exception)) return 'NOT SEALED';
  if (exception.revoked) return 'REVOKED';
  if (exception.expiresAt <= now) return 'EXPIRED';
  return exception.approved ? 'IN FORCE' : 'WAITING';
}

async function tokenOf(
  counterparty: ExceptionRequest['counterparty'],
  holds: ExceptionSources['holds'],
): Promise<string> {
  if ('token' in counterparty) return counterparty.token;
  const { holdId, role } = counterparty;
  return tokenOfRole(wholeCase(holdId, await holds.find(holdId)).held.instruction, role);
}

/** The entity as the list in force has it: the exception is void when that changes. */
async function hashInForce(lists: ExceptionSources['lists'], source: string, id: string): Promise<string> {
  const active = (await lists.active()).find((each) => each.source === source);
  if (!active?.isSealed) {
    throw new CodedError('NO_ACTIVE_LIST', `no list of ${source} is in force: see \`corridor lists show\``);
  }
  const { head, chunks } = await lists.load(active.list.versionId);
  const entity = unpackEntities(chunks, active.list.contentHash).find((each) => each.id === id);
  if (entity) return entityHash(entity);
  throw new CodedError('ENTITY_UNKNOWN', `${head.versionId} has no entity ${id}`);
}
