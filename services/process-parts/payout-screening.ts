// The gate of payouts: screening against the lists in force, and cases of customers, right before the first byte.
import { listStore } from '../../adapters/mongo/list-versions.ts';
import type { SubmissionGate } from '../../payouts/ports.ts';
import { createScreeningGate } from '../../payouts/screening-gate.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createTable } from '../../runtime/hosts/table.ts';
import { casePolicy } from '../configured-rules.ts';
import type { Connections } from '../connections.ts';
import { customerCasesFor, durableLists, maySeeLists, screenerFor, termsOf } from '../screening.ts';
import type { PayoutFaults } from './payout-faults.ts';

export interface PayoutScreening {
  readonly gate: SubmissionGate;
  open(): Promise<void>;
  close(): Promise<void>;
}

export async function payoutScreening(
  connections: Connections,
  runtime: HostRuntime,
  faults: PayoutFaults,
): Promise<PayoutScreening> {
  const { config, codec, log } = connections;
  const db = await connections.db();
  const listActivations = createTable({
    topic: 'screening.list-activated',
    log,
    codec,
    rings: runtime.rings,
    onFault: ({ code, detail }) => faults.fault(code, detail),
  });
  // The database stays what counts: the log only says whether it was put back.
  listActivations.failed.catch((error: unknown) => faults.thrown(error));
  const lists = durableLists(listStore(db, config.keys), listActivations);
  const screener = await screenerFor('payout-executor', connections, runtime, lists);
  const gate = createScreeningGate({
    screener,
    cases: customerCasesFor('payout-executor', db, runtime, casePolicy(config)),
    maySeeLists: maySeeLists(termsOf(config)),
    onBlocked: (payoutId, code) => faults.fault(code, `payout ${payoutId} is stopped by screening`),
  });
  return {
    gate,
    async open() {
      await listActivations.start();
      screener.warmExceptions();
    },
    async close() {
      await screener.close();
      await listActivations.stop();
    },
  };
}
