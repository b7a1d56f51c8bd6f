// Waiting between tries of what Kafka refused.
import type { BackoffLimits } from '../../ports/backoff.ts';

/** What a broker refused, or a connection that broke, is tried again soon. */
export const KAFKA_BACKOFF: BackoffLimits = { firstMs: 20, maxMs: 1_000 };
