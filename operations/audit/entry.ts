// One entry of the audit log: who, what, on what, with what outcome. Pure. Nothing personal gets in but the name under which
// somebody acts, and no text that somebody typed: what is no code, id or digest is left out or hashed.
import { hash } from 'node:crypto';
import { firstCharacters, safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import type { AuditCredential, AuditEntry, AuditOutcome } from '../../schemas/types.generated.ts';

export type Outcome = Exclude<AuditOutcome, 'UNKNOWN'>;
export const OUTCOMES = ['ALLOWED', 'DENIED', 'VIEWED', 'DONE', 'FAILED'] as const satisfies readonly Outcome[];

/** Who asks, and how that is known. `subject` is null when nobody was known. */
export interface Actor {
  readonly subject: string | null;
  readonly roles: readonly string[];
  readonly credential: Exclude<AuditCredential, 'UNKNOWN'>;
}

/** What an act is about. */
export interface Target {
  /** In the plural: transfers, cases, replays. Letters and hyphens. */
  readonly kind: string;
  /** Absent: none in particular. */
  readonly id?: string | undefined;
  /**
   * Something has shown that there is one with this id. Otherwise the entry holds a digest: what was asked for may be
   * anything, an account among it.
   */
  readonly isKnown?: boolean;
}

/** What is told to the audit log. */
export interface Act {
  readonly who: Actor;
  /** An action of the table of access, or `what.verb`. */
  readonly action: `${string}.${string}`;
  readonly on: Target;
  readonly outcome: Outcome;
  /** Code of an error or of a decision. */
  readonly reasonCode?: string | undefined;
  /** Number of a ticket; see `ticketNumber`. */
  readonly reference?: string | undefined;
  /** What was decided on: its SHA-256 in hexadecimal, or a text that is hashed here. */
  readonly decidedOn?: string | undefined;
  readonly requestId?: string | undefined;
  /** entryId of the act that this is an item or the end of. */
  readonly partOf?: string | undefined;
  /** How many alike it stands for. Default: 1. */
  readonly count?: number;
}

const MAX_SUBJECT_CHARACTERS = 64;
const MAX_ROLES = 16;
const ACTION = /^[a-z][a-z0-9-]{0,31}(\.[a-z][a-z0-9-]{0,31}){1,3}$/;
const KIND = /^[a-z][a-z-]{0,31}$/;
const ROLE = /^[a-z][a-z-]{0,31}$/;
const CODE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const ID = /^[!-~]{1,200}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const REQUEST = /^[0-9a-f-]{16,36}$/;
const ENTRY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TICKET = /^[A-Z][A-Z0-9]{0,9}-[0-9]{1,12}$/;

const digest = (text: string): string => hash('sha256', text, 'hex');

/** How an id stands in an entry while nothing has shown that there is one. */
export const hashedId = (id: string): string => `sha256:${digest(id)}`;

/** @throws CodedError TICKET_INVALID unless it is the number of a ticket, which can hold no name */
export function ticketNumber(text: string): string {
  if (TICKET.test(text)) return text;
  throw new CodedError('TICKET_INVALID', 'the number of a ticket is capital letters, a hyphen and digits: INC-1234');
}

interface EntryTerms {
  readonly entryId: string;
  /** ms since 1970 */
  readonly at: number;
  readonly program: string;
}

/** @throws CodedError AUDIT_ENTRY_INVALID: the program gives an act a name that the audit log does not take */
export function entryOf(act: Act, { entryId, at, program }: EntryTerms): AuditEntry {
  const { who, action, on, outcome, count = 1 } = act;
  if (!ACTION.test(action) || !KIND.test(on.kind)) {
    throw new CodedError(
      'AUDIT_ENTRY_INVALID',
      `${safeText(action, 40)} on ${safeText(on.kind, 40)} is no name of an act`,
    );
  }
  return {
    ...{ entryId, at, program },
    subject: who.subject === null ? null : firstCharacters(safeText(who.subject), MAX_SUBJECT_CHARACTERS),
    roles: who.roles.filter((role) => ROLE.test(role)).slice(0, MAX_ROLES),
    credential: who.credential,
    action,
    objectKind: on.kind,
    objectId: objectId(on),
    outcome,
    reasonCode: fitting(CODE, act.reasonCode),
    reference: fitting(TICKET, act.reference),
    decidedOn:
      act.decidedOn === undefined || DIGEST.test(act.decidedOn) ? (act.decidedOn ?? null) : digest(act.decidedOn),
    requestId: fitting(REQUEST, act.requestId),
    partOf: fitting(ENTRY, act.partOf),
    count: Math.max(1, Math.min(count, 2 ** 31 - 1)),
  };
}

function objectId({ id, isKnown = false }: Target): string | null {
  if (id === undefined || id === '') return null;
  return isKnown && ID.test(id) ? id : hashedId(id);
}

const fitting = (form: RegExp, text: string | undefined): string | null =>
  text !== undefined && form.test(text) ? text : null;

/**
 * Why bytes that decode as an entry are not one; undefined: they are. Whoever has the key may still write nonsense, so the
 * sequencer takes nothing that `entryOf` could not have made.
 */
export function entryFlaw(entry: AuditEntry): string | undefined {
  const checks: readonly (readonly [string, boolean])[] = [
    ['entryId', ENTRY.test(entry.entryId)],
    ['at', Number.isSafeInteger(entry.at) && entry.at >= 0],
    ['program', KIND.test(entry.program)],
    ['subject', entry.subject === null || isSubject(entry.subject)],
    ['roles', entry.roles.length <= MAX_ROLES && entry.roles.every((role) => ROLE.test(role))],
    ['credential', entry.credential !== 'UNKNOWN'],
    ['action', ACTION.test(entry.action)],
    ['objectKind', KIND.test(entry.objectKind)],
    ['objectId', isNullOr(ID, entry.objectId)],
    ['outcome', entry.outcome !== 'UNKNOWN'],
    ['reasonCode', isNullOr(CODE, entry.reasonCode)],
    ['reference', isNullOr(TICKET, entry.reference)],
    ['decidedOn', isNullOr(DIGEST, entry.decidedOn)],
    ['requestId', isNullOr(REQUEST, entry.requestId)],
    ['partOf', isNullOr(ENTRY, entry.partOf)],
    ['count', entry.count >= 1],
  ];
  return checks.find(([, holds]) => !holds)?.[0];
}

const isNullOr = (form: RegExp, text: string | null): boolean => text === null || form.test(text);
const isSubject = (text: string): boolean =>
  text === firstCharacters(safeText(text), MAX_SUBJECT_CHARACTERS) && text.trim() !== '';
