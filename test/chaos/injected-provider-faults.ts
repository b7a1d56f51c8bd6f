// How the provider misbehaves throughout a run: every kind of answer that leaves the outcome of a call open.
import type { FaultPlanInput } from '../../simulator/injected-faults.ts';

export const PROVIDER_FAULTS: FaultPlanInput = {
  rules: [
    { id: 'submit-timeout-before', on: 'submit', kind: 'timeout-before', probability: 0.008, ms: 20_000 },
    { id: 'submit-timeout-after', on: 'submit', kind: 'timeout-after', probability: 0.008, ms: 20_000 },
    { id: 'submit-reset-before', on: 'submit', kind: 'reset-before', probability: 0.01 },
    { id: 'submit-reset-after', on: 'submit', kind: 'reset-after', probability: 0.01 },
    { id: 'submit-error-before', on: 'submit', kind: 'error-before', probability: 0.01 },
    { id: 'submit-error-after', on: 'submit', kind: 'error-after', probability: 0.01 },
    { id: 'submit-late', on: 'submit', kind: 'late', ms: 4_000, probability: 0.01 },
    { id: 'submit-slow', on: 'submit', kind: 'latency', ms: 900, probability: 0.02 },
    { id: 'submit-malformed', on: 'submit', kind: 'malformed', probability: 0.01 },
    { id: 'submit-lag', on: 'submit', kind: 'lag', ms: 2_000, probability: 0.01 },
    { id: 'submit-429', on: 'submit', kind: 'rate-limit', retryAfterSeconds: 1, probability: 0.01 },
    { id: 'query-reset', on: 'query', kind: 'reset-before', probability: 0.05 },
    { id: 'query-error', on: 'query', kind: 'error-before', probability: 0.05 },
    { id: 'query-timeout', on: 'query', kind: 'timeout-before', probability: 0.01, ms: 20_000 },
    { id: 'cancel-reset-after', on: 'cancel', kind: 'reset-after', probability: 0.1 },
    { id: 'cancel-error-before', on: 'cancel', kind: 'error-before', probability: 0.1 },
  ],
};

export const NO_FAULTS: FaultPlanInput = { rules: [] };
