// The limits ledger's wire form: short JSON for the script, fields of hashes for a rebuild.

import type {
  LedgerRecord,
  LimitOperation,
  LimitRequest,
  LimitResult,
  ReserveOutcome,
  SettledUse,
} from '../../processors/limits/ports.ts';
import type { LimitUse } from '../../schemas/types.generated.ts';

/** What a use states, but for how much is used: rule, subject, window, currency, reserved and limit in minor units. */
type Statement = readonly [string, string, string, string, string, string];

type Counted = Pick<LimitRequest, 'ruleId' | 'subjectToken' | 'window'>;

/** Name of a counter below the prefix. Tokens and ids hold no colon. */
export const bucketOf = ({ ruleId, subjectToken, window }: Counted): string => `${ruleId}:${subjectToken}:${window}`;

/** Where the generation of a marker `<run id>:<form>.<id>` keeps its records and counters. */
export const prefixOfGeneration = (namespace: string, marker: string): string =>
  `${namespace}:${marker.slice(marker.indexOf(':') + 1)}:`;

export function encodeOperations(operations: readonly LimitOperation[]): string {
  return JSON.stringify(operations.map(encodeOperation));
}

function encodeOperation(operation: LimitOperation): unknown {
  const { transferId: t, attempt: a } = operation;
  if (operation.kind === 'reserve') {
    const r = operation.requests.map((request) => ({
      b: bucketOf(request),
      m: request.minor.toString(),
      l: request.limitMinor.toString(),
      x: request.action === 'reject',
    }));
    // As text: the script passes it on, and need neither read nor write it again.
    const u = JSON.stringify(operation.requests.map((request) => statement(request, request.minor)));
    return { k: 'reserve', t, a, r, u };
  }
  const { state, uses } = operation;
  return { k: 'settle', t, a, s: state, r: uses.map(encodeUse), ...(state === 'open' ? { o: outcomeOf(uses) } : {}) };
}

const encodeUse = (use: SettledUse) => ({ b: bucketOf(use), m: use.reservedMinor.toString(), f: use.freedByReturn });

const statement = (use: Counted & { currency: string; limitMinor: bigint }, reserved: bigint): Statement => [
  use.ruleId,
  use.subjectToken,
  use.window,
  use.currency,
  reserved.toString(),
  use.limitMinor.toString(),
];

/** The outcome that a reserve of these uses stored. */
function outcomeOf(uses: readonly SettledUse[]): string {
  return JSON.stringify({
    k: 'reserved',
    used: uses.map((use) => use.usedMinor.toString()),
    uses: uses.map((use) => statement(use, use.reservedMinor)),
  });
}

/** Fields of a transfer's hash, as the script writes them. */
export function encodeRecord({ state, attempt, uses }: LedgerRecord): Record<string, string> {
  const kept = state === 'released' ? [] : uses.map(encodeUse);
  const outcome = state === 'open' ? outcomeOf(uses) : '';
  return { state, attempt: String(attempt), uses: JSON.stringify(kept), outcome };
}

interface Answer {
  readonly k: ReserveOutcome['kind'] | 'settled';
  readonly c?: boolean;
  readonly used?: readonly string[];
  /** Places in `uses`, from 1. */
  readonly refused?: readonly number[];
  readonly uses?: readonly Statement[];
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
      return { kind: 'reserved', uses: usesOf(answer) };
    case 'refused': {
      const uses = usesOf(answer);
      return { kind: 'refused', uses, refused: list(answer.refused).map((place) => uses[place - 1]!.ruleId) };
    }
  }
}

function usesOf({ uses, used }: Answer): readonly LimitUse[] {
  return list(uses).map(([ruleId, subjectToken, window, currency, reserved, limit], index) => ({
    ruleId,
    subjectToken,
    window,
    currency,
    reservedMinor: BigInt(reserved),
    usedMinor: BigInt(list(used)[index]!),
    limitMinor: BigInt(limit),
  }));
}

/** Lua has one table for lists and objects: an empty list comes back as {}. */
const list = <T>(value: readonly T[] | undefined): readonly T[] => (Array.isArray(value) ? value : []);
