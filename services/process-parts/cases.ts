// The relay of decided cases, and the sweep that ends holds which nobody decided.
import { caseStore } from '../../adapters/mongo/cases.ts';
import { commandMaker, expireHolds } from '../../operations/cases/holds/relay.ts';
import type { Cause } from '../../processors/contract.ts';
import { faultOf } from '../../runtime/fault.ts';
import { recentOutages } from '../../runtime/health/recent-outages.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createOutboxRelay } from '../../runtime/outbox/outbox-relay.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import type { Connections } from '../connections.ts';
import { backgroundHost } from './background.ts';
import type { Hosted } from './processors.ts';

const EXPIRY_SWEEP_MS = 5_000;

/** Publishes decisions of cases as commands, and rejects cases that lapsed. */
export async function caseHosts(connections: Connections, { logger, metrics, rings }: HostRuntime): Promise<Hosted> {
  const { codec, log } = connections;
  const make = commandMaker({ codec, rings });
  const store = caseStore(await connections.db());
  await store.ensureIndexes();
  await codec.load(['review.decided']);
  const writer = await log.writer('case-relay');
  const recent = recentOutages('review.decided');
  const met = ({ code, detail }: Cause, message: string) => {
    recent.met(code, detail);
    metrics.faults.inc({ consumer: 'case-relay', code });
    logger.warn({ stage: 'case-relay', code, detail }, message);
  };
  const relay = createOutboxRelay<CaseDocument>({
    source: store,
    idOf: ({ _id }) => _id,
    toRecords: async (cases) => make(cases, (await store.clock(new Date())).getTime()),
    writer,
    onEvent: (event) => {
      if (event.kind !== 'published') met(event, 'relay');
    },
  });
  const sweep = () => {
    expireHolds(store, new Date()).then(
      (count) => count > 0 && logger.info({ stage: 'case-relay', count }, 'holds lapsed'),
      (error: unknown) => met(faultOf(error), 'expiry sweep failed'),
    );
  };
  let sweeper: NodeJS.Timeout | undefined;
  const host = backgroundHost({
    name: 'case-relay',
    troubles: () => recent.troubles(),
    start: async () => {
      relay.start();
      sweeper = setInterval(sweep, EXPIRY_SWEEP_MS);
    },
    stop: async (deadlineMs) => {
      clearInterval(sweeper);
      await relay.stop(deadlineMs);
      await writer.close();
    },
  });
  return { hosts: [host], resources: [] };
}
