// The limits ledger's wire form: short JSON for the script, fields of hashes for a rebuild.

import { countsUntil, isCounted, rollingOf } from '../../domain/limits/windows.ts';
import type {
  LedgerRecord,
  LimitOperation,
  LimitRequest,
  LimitResult,
  ReserveOutcome,
  SettledUse,
} from '../../processors/limits/ports.ts';
import { requestedUse } from '../../processors/limits/requests.ts';
import type { LimitAction, LimitMetric, LimitUse } from '../../schemas/types.generated.ts';

/**
 * What a use states, but for how much is used: rule, subject, window, currency, reserved and limit in minor units; and since the
 * second form of statement: metric, action, member, declared, when it frees, freed by a return.
 */
type Statement = readonly [
  ...[ruleId: string, subject: string, window: string, currency: string, reserved: string, limit: string],
  ...(
    | []
    | readonly [LimitMetric | null, LimitAction | null, string | null, string | null, number | null, boolean | null]
  ),
];

type Counted = Pick<LimitRequest, 'ruleId' | 'subjectToken' | 'window'>;

/** Name of a counter below the prefix. Tokens and ids hold no colon. */
export const bucketOf = ({ ruleId, subjectToken, window }: Counted): string => `${ruleId}:${subjectToken}:${window}`;

/** Where the generation of a marker `<run id>:<form>.<id>` keeps its records and counters. */
export const prefixOfGeneration = (namespace: string, marker: string): string =>
  `${namespace}:${marker.slice(marker.indexOf(':') + 1)}:`;

export function encodeOperations(operations: readonly LimitOperation[]): string {
  return JSON.stringify(operations.map(encodeOperation));
}

/** How a request stands against a transfer: it refuses, it never does, or a person decides. */
const EFFECT = { reject: 'r', shadow: 's', hold: 'h', documents: 'h' } as const;

function encodeOperation(operation: LimitOperation): unknown {
  const { transferId: t, attempt: a } = operation;
  if (operation.kind === 'reserve') {
    const r = operation.requests.map((request) => ({
      ...(isCounted(request.window) ? counterOf(request, request.member) : {}),
      m: request.minor.toString(),
      l: (request.limitMinor - (request.declaredMinor ?? 0n)).toString(),
      x: EFFECT[request.action],
    }));
    // As text: the script passes it on, and need neither read nor write it again.
    const u = JSON.stringify(operation.requests.map((request) => statement(requestedUse(request, 0n))));
    return { k: 'reserve', t, a, r, u, ...(operation.limitRules === undefined ? {} : { n: operation.limitRules }) };
  }
  const { state, uses } = operation;
  return { k: 'settle', t, a, s: state, r: encodeUses(uses), ...(state === 'open' ? { o: outcomeOf(uses) } : {}) };
}

/** Name of the counter, member, and until when it matters. */
function counterOf(counted: Counted, member: string | null): { b: string; d?: string; e: number } {
  const until = countsUntil(counted.window);
  return { b: bucketOf(counted), ...(member === null ? {} : { d: member }), e: Number.isFinite(until) ? until : -1 };
}

const encodeUses = (uses: readonly SettledUse[]) =>
  uses
    .filter(({ window }) => isCounted(window))
    .map((use) => ({ ...counterOf(use, use.member), m: use.reservedMinor.toString(), f: use.freedByReturn }));

const statement = (use: Omit<LimitUse, 'usedMinor'>): Statement => [
  ...([use.ruleId, use.subjectToken, use.window, use.currency] as const),
  ...([use.reservedMinor.toString(), use.limitMinor.toString()] as const),
  ...([use.metric, use.action, use.member, use.declaredMinor?.toString() ?? null] as const),
  ...([use.freesAt, use.freedByReturn] as const),
];

/** The outcome that a reserve of these uses stored. */
function outcomeOf(uses: readonly SettledUse[]): string {
  return JSON.stringify({
    k: 'reserved',
    used: uses.map((use) => use.usedMinor.toString()),
    uses: uses.map(statement),
  });
}

/** Fields of a transfer's hash, as the script writes them. */
export function encodeRecord({ state, attempt, uses }: LedgerRecord): Record<string, string> {
  const kept = state === 'released' ? [] : encodeUses(uses);
  const outcome = state === 'open' ? outcomeOf(uses) : '';
  return { state, attempt: String(attempt), uses: JSON.stringify(kept), outcome };
}

/** Until when a record of these uses matters, ms since 1970; Infinity: for ever. */
export const recordUntil = ({ uses }: LedgerRecord): number =>
  Math.max(0, ...uses.filter(({ window }) => isCounted(window)).map(({ window }) => countsUntil(window)));

interface Answer {
  readonly k: ReserveOutcome['kind'] | 'settled';
  readonly c?: boolean;
  readonly used?: readonly string[];
  /** Places in `uses`, from 1. */
  readonly refused?: readonly number[];
  /** Of each that refused: the step of its rolling window with which enough is free again; 0: it cannot be told so. */
  readonly frees?: readonly number[];
  readonly uses?: readonly Statement[];
  /** Name and version of the rules. */
  readonly n?: string;
}

export function decodeResult(text: string): LimitResult {
  const answer = JSON.parse(text) as Answer;
  switch (answer.k) {
    case 'settled':
      return { kind: 'settled', changed: answer.c === true };
    case 'ended':
    case 'superseded':
      return { kind: answer.k };
    case 'reserved':
      return { kind: 'reserved', uses: usesOf(answer), ...setOf(answer) };
    case 'refused': {
      const uses = usesOf(answer);
      const refused = list(answer.refused).map((place, at) => {
        const use = uses[place - 1]!;
        uses[place - 1] = { ...use, freesAt: freeingOf(use, list(answer.frees)[at] ?? 0) };
        return use.ruleId;
      });
      return { kind: 'refused', uses, refused, ...setOf(answer) };
    }
  }
}

const setOf = ({ n }: Answer) => (n === undefined ? {} : { limitRules: n });

/** When enough of a limit is free for what was asked; null: not by time alone, or it cannot be told. */
function freeingOf(use: LimitUse, step: number): number | null {
  if (use.reservedMinor > use.limitMinor - (use.declaredMinor ?? 0n)) return null;
  const rolling = rollingOf(use.window);
  if (rolling === undefined) return use.freesAt;
  return step === 0 ? null : (step + 1 + rolling.steps) * rolling.stepMs;
}

function usesOf({ uses, used }: Answer): LimitUse[] {
  return list(uses).map((stated, index) => {
    const [ruleId, subjectToken, window, currency, reserved, limit, ...more] = stated;
    const [metric = null, action = null, member = null, declared = null, freesAt = null, freedByReturn = null] = more;
    return {
      ...{ ruleId, subjectToken, window, currency, metric, action, member, freesAt, freedByReturn },
      reservedMinor: BigInt(reserved),
      usedMinor: BigInt(list(used)[index]!),
      limitMinor: BigInt(limit),
      declaredMinor: declared === null ? null : BigInt(declared),
    };
  });
}

/** Lua has one table for lists and objects: an empty list comes back as {}. */
const list = <T>(value: readonly T[] | undefined): readonly T[] => (Array.isArray(value) ? value : []);
