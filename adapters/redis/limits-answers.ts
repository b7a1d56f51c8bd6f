// What the limits ledger answers, held against what was asked and against the proofs in it.
import { rollingOf } from '../../domain/limits/windows.ts';
import { isCoded } from '../../ports/fault.ts';
import { type LimitResult, MAX_COUNTED_MINOR, type ReserveOutcome } from '../../processors/limits/ports.ts';
import type { LimitUse } from '../../schemas/types.generated.ts';
import type { AskedOperation, Statement } from './limits-codec.ts';
import { damagedLedger } from './limits-generation.ts';
import type { ProvenKind, RecordProofs } from './limits-proofs.ts';

/** A JSON object of which nothing is known. */
type Told = Readonly<Record<string, unknown>>;

/**
 * What the ledger answered to an operation.
 * @throws CodedError LIMITS_LEDGER_DAMAGED: it is no answer to it, or without a proof
 */
export function decodeResult(answer: unknown, asked: AskedOperation, proofs: RecordProofs): LimitResult {
  const told = toldIn(answer);
  if (asked.k === 'settle') {
    if (told['k'] !== 'settled' || typeof told['c'] !== 'boolean') throw foreign();
    return { kind: 'settled', changed: told['c'] };
  }
  const outcome = outcomeOf(told, asked, proofs);
  if (outcome === undefined) throw damagedLedger('what it says of a transfer bears no proof of a stage');
  return outcome;
}

/** The answer of a record that nobody has proved: for who only foresees. @throws CodedError LIMITS_LEDGER_DAMAGED */
export function foreseenResult(answer: unknown): LimitResult {
  const told = toldIn(answer);
  return statedOutcome(told, statementsIn(told));
}

/** Whether the answer of a record bears a proof of its state. */
export function isProvenRecord(
  { transferId, state, attempt }: { readonly transferId: string; readonly state: string; readonly attempt: number },
  answer: string,
  proofs: RecordProofs,
): boolean {
  try {
    const told = toldIn(answer);
    if (told['a'] !== attempt) return false;
    if (state !== 'open' && state !== 'refused') return told['s'] === state && isProvenEnd(told, transferId, proofs);
    return told['k'] === (state === 'open' ? 'reserved' : state) && isProvenAttempt(told, transferId, proofs);
  } catch {
    return false;
  }
}

function outcomeOf(told: Told, asked: AskedOperation, proofs: RecordProofs): ReserveOutcome | undefined {
  switch (told['k']) {
    case 'reserved':
    case 'refused':
      return isAsAsked(told, asked) || (told['a'] === asked.a && isProvenAttempt(told, asked.t, proofs))
        ? statedOutcome(told, statementsIn(told))
        : undefined;
    case 'superseded': {
      const later = objectIn(told['o']);
      return attemptIn(later) > asked.a && isProvenAttempt(later, asked.t, proofs) ? { kind: 'superseded' } : undefined;
    }
    case 'ended': {
      const isProven =
        told['o'] === undefined ? isProvenEnd(told, asked.t, proofs) : refusedBefore(told, asked, proofs);
      return isProven ? { kind: 'ended' } : undefined;
    }
    default:
      throw foreign();
  }
}

/** What this very operation, or the same of before, has led to: its own words and its own proof come back. */
function isAsAsked({ k, a, p, n = '', uses }: Told, asked: AskedOperation): boolean {
  const proof = asked.p?.[k === 'reserved' ? 0 : 1];
  return a === asked.a && p === proof && n === (asked.n ?? '') && JSON.stringify(uses) === asked.u;
}

function isProvenAttempt(told: Told, transferId: string, proofs: RecordProofs): boolean {
  const { k, n = '', uses, p } = told;
  if ((k !== 'reserved' && k !== 'refused') || typeof n !== 'string' || !Array.isArray(uses)) return false;
  const proven = { kind: k, transferId, attempt: attemptIn(told), stated: JSON.stringify(uses), rules: n } as const;
  return proofs.holds(proven, p);
}

const ENDS: readonly ProvenKind[] = ['released', 'committed', 'returned'];

function isProvenEnd(told: Told, transferId: string, proofs: RecordProofs): boolean {
  const kind = ENDS.find((end) => end === told['s']);
  if (kind === undefined) return false;
  return proofs.holds({ kind, transferId, attempt: attemptIn(told), stated: '', rules: '' }, told['p']);
}

/** An attempt before was refused, and ends the transfer. */
function refusedBefore({ o }: Told, { t, a }: AskedOperation, proofs: RecordProofs): boolean {
  const before = objectIn(o);
  return before['k'] === 'refused' && attemptIn(before) < a && isProvenAttempt(before, t, proofs);
}

function statedOutcome(told: Told, statements: readonly Statement[]): ReserveOutcome {
  const { k, n, used, refused, frees } = told;
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

/** When enough of a limit is free for what was asked; null: not by time alone, or it cannot be told. */
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

function toldIn(answer: unknown): Told {
  try {
    return objectIn(JSON.parse(String(answer)));
  } catch (error) {
    throw isCoded(error) ? error : foreign();
  }
}

function objectIn(value: unknown): Told {
  if (typeof value !== 'object' || value === null) throw foreign();
  return value as Told;
}

const attemptIn = ({ a }: Told): number => (typeof a === 'number' && Number.isSafeInteger(a) ? a : -1);

/** Lua has one table for lists and objects: an empty list comes back as {}. */
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** Of a proof the text is ours. */
const statementsIn = ({ uses }: Told): readonly Statement[] =>
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
