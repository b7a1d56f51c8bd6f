// The gate before the first byte: what was put in force before this moment holds, and so does a case about a customer.

import type { ErrorCode } from '../ports/error-codes.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import { tokensOf } from '../screening/counterparties.ts';
import type { Screener } from '../screening/ports.ts';
import { differencesSince } from '../screening/requests.ts';
import { type CustomerCases, isBlocked } from '../screening/rescreening/customer-case.ts';
import type { GateVerdict, SubmissionGate } from './ports.ts';

export interface ScreeningGateOptions {
  /** Over the versions durably in force: read at each call. */
  readonly screener: Pick<Screener, 'recheck'>;
  readonly cases: Pick<CustomerCases, 'blocked'>;
  /** False: the law forbids another look at the lists once this payout is under way. */
  readonly maySeeLists: (requested: PayoutRequested) => boolean;
  /** Called with each payout that is stopped; ids only. */
  readonly onBlocked?: (payoutId: string, code: ErrorCode) => void;
}

/**
 * Stops payouts whose parties resemble what the lists in force have added since they were screened
 * (`SCREENING_DIFFERENCE`), or who have a case of their own (`CUSTOMER_BLOCKED`). A payout that is stopped waits until its
 * price expires; then it is priced again, and payout dispatch holds it with a case. Fails closed: rejects when lists or
 * cases cannot be read.
 */
export function createScreeningGate(options: ScreeningGateOptions): SubmissionGate {
  const { screener, cases, maySeeLists, onBlocked } = options;
  return {
    async check(requests) {
      const seen = requests.map((requested) => (maySeeLists(requested) ? requested : undefined));
      const tokens = requests.flatMap(({ instruction }) => tokensOf(instruction));
      const [differences, blocks] = await Promise.all([
        differencesSince(screener, seen),
        cases.blocked([...new Set(tokens)]),
      ]);
      return requests.map(({ envelope, instruction, price, screening }, i): GateVerdict => {
        const stop = (code: ErrorCode): GateVerdict => {
          onBlocked?.(envelope.transferId, code);
          return { pass: false, untilMs: price.expiresAt, code };
        };
        const outcome = differences[i]?.outcome ?? 'CLEAR';
        if (outcome !== 'CLEAR') return stop('SCREENING_DIFFERENCE');
        if (isBlocked(blocks, instruction, screening)) return stop('CUSTOMER_BLOCKED');
        return { pass: true };
      });
    },
  };
}
