// The inbox over stores in memory.
import type { KeyRing } from '../../../../domain/seals/seal.ts';
import { openCase as openPayoutCase } from '../../../../payouts/changes.ts';
import { openPayout } from '../../../../payouts/decide.ts';
import type { Payout } from '../../../../payouts/payout.ts';
import { requestCodec } from '../../../../payouts/request-codec.ts';
import { type SealedCustomerCase, sealOpened } from '../../../../screening/rescreening/customer-seals.ts';
import type { CaseDecision, CaseDocument } from '../../../../sinks/cases/case.ts';
import { openCase } from '../../../../sinks/cases/to-write.ts';
import {
  AT,
  BOOK,
  findings,
  payoutRequested,
  transferHeld,
  transferHeldByLimits,
} from '../../../../test/kit/builders.ts';
import { KEYS } from '../../../../test/kit/keys.ts';
import { memoryCodec } from '../../../../test/kit/memory-codec.ts';
import { MemoryStore } from '../../../../test/kit/payouts/memory.ts';
import type { Assignment } from '../../assignments/decide.ts';
import { casePolicyFrom } from '../policy.ts';
import type { InboxSources } from '../ports.ts';

const codec = memoryCodec();
/** One person decides everything. */
const ALONE = casePolicyFrom({ secondPerson: { approveFrom: 'NEVER', onTrueMatch: false, closeCodes: [] } });

export function payoutOf(transferId: string): Payout {
  const requested = codec.encode('payout.requested', payoutRequested({ transferId }));
  const terms = { provider: 'p', homePartition: 3, pricingAttempt: 1, priceExpiresAt: AT, requested };
  return openPayout({ payoutId: transferId, ...terms }, AT);
}

function customerCase(caseId: string, transferId: string, operators: KeyRing): SealedCustomerCase {
  const [candidate] = findings('POTENTIAL_MATCH').parties[0]!.candidates;
  const about = { token: 't', source: 'CORRIDOR', entityId: '9', entityHash: 'h', versionId: 'v', transferId };
  const opened = { caseId, ...about, candidate: candidate!, openedAt: AT + 2 };
  return { ...opened, state: 'OPEN', decision: null, seal: sealOpened(operators, opened) };
}

/** Stores in memory, with two holds, a payout with a case, and a case of a customer. */
export function inboxWorld(operators: KeyRing = KEYS.operators) {
  const holds = new Map<string, CaseDocument>();
  for (const held of [transferHeld({ transferId: 'transfer-a' }), transferHeldByLimits({ transferId: 'transfer-b' })]) {
    holds.set(held.hold.holdId, openCase(held));
  }
  const payouts = new MemoryStore();
  const payout = openPayoutCase(
    payoutOf('transfer-c'),
    'CONTRADICTION',
    'paid after it had failed',
    AT + 1,
    'transfer-c:1',
  );
  payouts.payouts.set('transfer-c', payout);
  const customers = new Map([['customer-d', customerCase('customer-d', 'transfer-d', operators)]]);
  const assignments: Assignment[] = [];
  const sources: InboxSources = {
    holds: {
      briefs: async (limit) =>
        [...holds.values()]
          .filter(({ state }) => state === 'OPEN')
          .slice(0, limit)
          .map(({ _id, transferId, stage, reasons, openedAt, expiresAt, instructedMinor, instructedCurrency }) => ({
            holdId: _id,
            transferId,
            stage,
            reasonCodes: reasons.map(({ code }) => code),
            amount: { minor: instructedMinor, currency: instructedCurrency },
            sourceCurrency: 'GBP',
            targetCurrency: 'INR',
            openedAt: openedAt.getTime(),
            expiresAt: expiresAt.getTime(),
          })),
      load: async (ids) => [...holds.values()].filter(({ _id }) => ids.includes(_id)),
      find: async (id) => holds.get(id),
      between: async ({ stage, debtorToken, creditorToken }, limit) =>
        [...holds.values()]
          .filter((each) => each.state === 'OPEN' && each.stage === stage)
          .filter(({ held }) => held.instruction.debtorToken === debtorToken)
          .filter(({ held }) => held.instruction.creditorToken === creditorToken)
          .slice(0, limit),
    },
    payouts: {
      briefs: async () => [...payouts.payouts.values()].map(({ payoutId, cases }) => ({ payoutId, cases })),
      load: (ids) => payouts.load(ids),
      unknownWithoutCase: async () =>
        [...payouts.payouts.values()].filter(({ phase, cases }) => phase === 'OUTCOME_UNKNOWN' && cases.length === 0)
          .length,
    },
    customers: {
      list: async ({ state }) => [...customers.values()].filter((each) => each.state === state),
      find: async (id) => customers.get(id),
    },
    transfers: {
      of: async (ids) =>
        ids.map((transferId) => ({ transferId, sourceCurrency: 'GBP', targetCurrency: 'INR', debitMinor: 50_000n })),
    },
    assignments: { current: async () => assignments },
    requests: requestCodec(codec),
    corridors: BOOK,
    operators,
  };
  const deciding = {
    holds: {
      clock: async (own: Date) => own,
      find: sources.holds.find,
      async decide(id: string, evidenceHash: string, decision: CaseDecision) {
        const found = holds.get(id);
        if (found?.state !== 'OPEN' || found.evidenceHash !== evidenceHash) return undefined;
        const decided: CaseDocument = { ...found, state: 'DECIDED', decision };
        holds.set(id, decided);
        return decided;
      },
    },
    customers: {
      find: sources.customers.find,
      async decide(id: string, seal: string, decision: NonNullable<SealedCustomerCase['decision']>) {
        const found = customers.get(id);
        if (found?.state !== 'OPEN' || found.seal !== seal) return undefined;
        const decided = { ...found, state: decision.state, decision };
        customers.set(id, decided);
        return decided;
      },
    },
    payouts,
    closesPayouts: true,
    policy: ALONE,
    corridors: BOOK,
  };
  return { sources, deciding, holds, payouts, customers, assignments };
}
