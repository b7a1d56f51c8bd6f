// What the limits ledger answers, held against what was asked and against the proofs in it.
import { rollingOf } from '../../domain/limits/windows.ts';
import { isCoded } from '../../ports/fault.ts';
import { type LimitResult, MAX_COUNTED_MINOR, type ReserveOutcome } from '../../processors/limits/ports.ts';
import type { LimitUse } from '../../schemas/types.generated.ts';
import type { AskedOperation, Statement } from './limits-codec.ts';
import { damagedLedger } from './limits-generation.ts';
import type { ProvenKind, RecordProofs } from './limits-proofs.ts';

/** A JSON object of which nothing is known. */
type Answer = Readonly<Record<string, unknown>>;

/**
 * What the ledger answered to an operation.
 * @throws CodedError LIMITS_LEDGER_DAMAGED: it is no answer to it, or without a proof
 */
export function decodeResult(text: unknown, asked: AskedOperation, proofs: RecordProofs): LimitResult {
  const answer = answerIn(text);
  if (asked.k === 'settle') {
    if (answer['k'] !== 'settled' || typeof answer['c'] !== 'boolean') throw foreign();
    return { kind: 'settled', changed: answer['c'] };
  }
  const outcome = outcomeOf(answer, asked, proofs);
  if (outcome === undefined) throw damagedLedger('what it says of a transfer bears no proof of a stage');
  return outcome;
}

/** The answer of a record that nobody has proved: for who only foresees. @throws CodedError LIMITS_LEDGER_DAMAGED */
export function foreseenResult(text: unknown): LimitResult {
  const answer = answerIn(text);
  return statedOutcome(answer, statementsIn(answer));
}

/** Whether the answer of a record bears a proof of its state. */
export function isProvenRecord(
  { transferId, state, attempt }: { readonly transferId: string; readonly state: string; readonly attempt: number },
  text: string,
  proofs: RecordProofs,
): boolean {
  try {
    const answer = answerIn(text);
    if (answer['a'] !== attempt) return false;
    if (state !== 'open' && state !== 'refused')
      return answer['s'] === state && isProvenEnd(answer, transferId, proofs);
    return answer['k'] === (state === 'open' ? 'reserved' : state) && isProvenAttempt(answer, transferId, proofs);
  } catch {
    return false;
  }
}

function outcomeOf(answer: Answer, asked: AskedOperation, proofs: RecordProofs): ReserveOutcome | undefined {
  switch (answer['k']) {
    case 'reserved':
    case 'refused':
      return isAsAsked(answer, asked) || (answer['a'] === asked.a && isProvenAttempt(answer, asked.t, proofs))
        ? statedOutcome(answer, statementsIn(answer))
        : undefined;
    case 'superseded': {
      const later = objectIn(answer['o']);
      return attemptIn(later) > asked.a && isProvenAttempt(later, asked.t, proofs) ? { kind: 'superseded' } : undefined;
    }
    case 'ended': {
      const isProven =
        answer['o'] === undefined ? isProvenEnd(answer, asked.t, proofs) : refusedBefore(answer, asked, proofs);
      return isProven ? { kind: 'ended' } : undefined;
    }
    default:
      throw foreign();
  }
}

/** What this very operation, or the same of before, has led to: its own words and its own proof come back. */
function isAsAsked({ k, a, p, n = '', uses }: Answer, asked: AskedOperation): boolean {
  const proof = asked.p?.[k === 'reserved' ? 0 : 1];
  return a === asked.a && p === proof && n === (asked.n ?? '') && JSON.stringify(uses) === asked.u;
}

function isProvenAttempt(answer: Answer, transferId: string, proofs: RecordProofs): boolean {
  const { k, n = '', uses, p } = answer;
  if ((k !== 'reserved' && k !== 'refused') || typeof n !== 'string' || !Array.isArray(uses)) return false;
  const proven = { kind: k, transferId, attempt: attemptIn(answer), stated: JSON.stringify(uses), rules: n } as const;
  return proofs.holds(proven, p);
}

const ENDS: readonly ProvenKind[] = ['released', 'committed', 'returned'];

function isProvenEnd(answer: Answer, transferId: string, proofs: RecordProofs): boolean {
  const kind = ENDS.find((end) => end === answer['s']);
  if (kind === undefined) return false;
  return proofs.holds({ kind, transferId, attempt: attemptIn(answer), stated: '', rules: '' }, answer['p']);
}

/** An attempt before was refused, and ends the transfer. */
function refusedBefore({ o }: Answer, { t, a }: AskedOperation, proofs: RecordProofs): boolean {
  const before = objectIn(o);
  return before['k'] === 'refused' && attemptIn(before) < a && isProvenAttempt(before, t, proofs);
}

function statedOutcome(answer: Answer, statements: readonly Statement[]): ReserveOutcome {
  const { k, n, used, refused, frees } = answer;
  const usedOf = textsIn(used, statements.length);
  const uses = statements.map((each, at) => useOf(each, usedOf[at]!));
  const set = typeof n === 'string' ? { limitRules: n } : {};
  if (k === 'reserved') return { kind: 'reserved', uses, ...set };
  if (k !== 'refused') throw foreign();
  const places = placesIn(refused, statements.length);
  const steps = list(frees);
  for (const [at, place] of places.entries()) {
    const use = uses[place - 1]!;
    if (!standsAgainst(use)) throw damagedLedger('it refused what its own figures let pass');
    uses[place - 1] = { ...use, freesAt: freeingOf(use, steps[at]) };
  }
  return { kind: 'refused', uses, refused: places.map((place) => uses[place - 1]!.ruleId), ...set };
}

/** Whether a limit is in the way of a use, by what the answer says is used already. One member more may be none. */
function standsAgainst({ usedMinor, reservedMinor, metric, limitMinor, declaredMinor }: LimitUse): boolean {
  const after = usedMinor + (metric === 'BENEFICIARIES' ? 1n : reservedMinor);
  return after > limitMinor - (declaredMinor ?? 0n) || after >= MAX_COUNTED_MINOR;
}

/** When enough of a limit is free for what was asked; null: not by time alone, or it cannot be said. */
function freeingOf(use: LimitUse, step: unknown): number | null {
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) throw foreign();
  if (use.reservedMinor > use.limitMinor - (use.declaredMinor ?? 0n)) return null;
  const rolling = rollingOf(use.window);
  if (rolling === undefined) return use.freesAt;
  return step === 0 ? null : (step + 1 + rolling.steps) * rolling.stepMs;
}

function useOf(stated: Statement, used: bigint): LimitUse {
  const [ruleId, subjectToken, window, currency, reserved, limit, ...more] = stated;
  const [metric = null, action = null, member = null, declared = null, freesAt = null, freedByReturn = null] = more;
  return {
    ...{ ruleId, subjectToken, window, currency, metric, action, member, freesAt, freedByReturn },
    reservedMinor: wholeIn(reserved),
    usedMinor: used,
    limitMinor: wholeIn(limit),
    declaredMinor: declared === null ? null : wholeIn(declared),
  };
}

const foreign = () => damagedLedger('it answered what nobody asked for');

function answerIn(text: unknown): Answer {
  try {
    return objectIn(JSON.parse(String(text)));
  } catch (error) {
    throw isCoded(error) ? error : foreign();
  }
}

function objectIn(value: unknown): Answer {
  if (typeof value !== 'object' || value === null) throw foreign();
  return value as Answer;
}

const attemptIn = ({ a }: Answer): number => (typeof a === 'number' && Number.isSafeInteger(a) ? a : -1);

/** Lua has one table for lists and objects: an empty list comes back as {}. */
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** Of a proof the text is ours. */
const statementsIn = ({ uses }: Answer): readonly Statement[] =>
  list(uses).map((each) => list(each) as unknown as Statement);

function textsIn(value: unknown, length: number): readonly bigint[] {
  const texts = list(value);
  if (texts.length !== length) throw foreign();
  return texts.map(wholeIn);
}

const WHOLE = /^-?\d{1,20}$/;
function wholeIn(text: unknown): bigint {
  if (typeof text !== 'string' || !WHOLE.test(text)) throw foreign();
  return BigInt(text);
}

/** Places in the uses, from 1, each once. */
function placesIn(value: unknown, length: number): readonly number[] {
  const places = list(value).filter((place) => Number.isInteger(place)) as readonly number[];
  const isOdd = places.length !== list(value).length || new Set(places).size !== places.length;
  if (isOdd || places.length === 0 || places.some((place) => place < 1 || place > length)) throw foreign();
  return places;
}
