// What those may do on topics who are no program of ours: the rights of their principals. docs/kafka.md has those of programs.
import { BESIDE_GRAINS, GRAINS } from './analytics-contract.ts';

export interface TopicRights {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Consumer groups whose names begin so. */
  readonly groups: string;
}

/**
 * Operators have none: they act over the API. A producer whose transfers nobody else of your producers may see reads no topic
 * either, and is told by webhooks and the API: the answers are those of all producers.
 */
export const RIGHTS = {
  producers: {
    reads: ['transfer.lifecycle', 'intent.rejected', 'intent.duplicated'],
    writes: ['transfer.requested'],
    groups: 'producer-',
  },
  operators: { reads: [], writes: [], groups: 'operator-' },
  analysts: {
    reads: [...GRAINS, ...BESIDE_GRAINS].map(({ topic }) => topic),
    writes: [],
    groups: 'analyst-',
  },
} as const satisfies Readonly<Record<string, TopicRights>>;
