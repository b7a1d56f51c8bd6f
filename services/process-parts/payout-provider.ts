// The provider of payouts: its client, and what health says of its circuit, its clock and payouts of other providers.
import {
  type HttpProviderClient,
  httpProviderClient,
  type ProviderCircuit,
} from '../../adapters/payout-providers/client.ts';
import { DEFAULT_EXECUTOR_CONFIG } from '../../payouts/config.ts';
import type { PayoutEvent } from '../../payouts/ports.ts';
import type { Config } from '../../runtime/config/config.ts';
import type { DependencyTrouble } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { providerAuth } from '../provider-auth.ts';
import { otherProviderPayouts } from './other-provider-payouts.ts';
import type { PayoutFaults } from './payout-faults.ts';
import { providerClock } from './provider-clock.ts';

const CIRCUIT_VALUES: Readonly<Record<ProviderCircuit, number>> = { closed: 0, 'half-open': 1, open: 2 };

export interface PayoutProvider {
  readonly client: HttpProviderClient;
  /** What the executor reports, as far as it is about the provider. */
  report(event: PayoutEvent): void;
  troubles(): readonly DependencyTrouble[];
}

/** @param topic what waits for the provider, for people */
export function payoutProvider(
  config: Config,
  { logger, metrics }: Pick<HostRuntime, 'logger' | 'metrics'>,
  faults: PayoutFaults,
  topic: string,
): PayoutProvider {
  const { name, url, answers, connectTimeoutMs, requestTimeoutMs } = config.provider;
  let circuit: readonly DependencyTrouble[] = [];
  const client = httpProviderClient({
    name,
    url,
    answers,
    auth: providerAuth(config.provider),
    // As many connections as submits and polls may be on their way: neither waits for the other.
    connections: config.payouts.maxInFlight + DEFAULT_EXECUTOR_CONFIG.maxPolls,
    connectTimeoutMs,
    submitTimeoutMs: requestTimeoutMs,
    queryTimeoutMs: requestTimeoutMs,
    onCircuit: (state) => {
      circuit = state === 'closed' ? [] : [circuitTrouble(name, state, topic, circuit[0])];
      metrics.providerCircuit.set({ provider: name }, CIRCUIT_VALUES[state]);
      const detail = { stage: 'payout-executor', code: 'PROVIDER_CIRCUIT', detail: state };
      logger.warn(detail, 'circuit of the provider');
    },
  });
  const clock = providerClock({
    provider: name,
    topic,
    onDoubt: (detail) => faults.warn('PROVIDER_CLOCK', detail),
    onAhead: (seconds) => metrics.providerClockAhead.set({ provider: name }, seconds),
  });
  const others = otherProviderPayouts({
    provider: name,
    topic,
    onDue: (detail) => faults.warn('PAYOUT_OTHER_PROVIDER', detail),
    onCount: (count) => metrics.payoutsOfOtherProviders.set({ provider: name }, count),
  });
  return {
    client,
    report(event) {
      if (event.kind === 'of-other-provider') others.counted(event.count);
      if (event.kind === 'clock') clock.observed(event.aheadMs, event.isDoubtful);
    },
    troubles: () => [...circuit, ...clock.troubles(), ...others.troubles()],
  };
}

/** While the circuit is not closed, payouts wait in the store: no partition shows it. */
function circuitTrouble(
  provider: string,
  state: string,
  topic: string,
  before: DependencyTrouble | undefined,
): DependencyTrouble {
  return {
    dependency: 'provider',
    code: 'PROVIDER_CIRCUIT',
    detail: `the circuit of ${provider} is ${state}: payouts wait until it answers`,
    since: before?.since ?? Date.now(),
    topic,
    partition: 0,
    lastMetAt: performance.now(),
  };
}
