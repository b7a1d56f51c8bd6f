// Telling a topic that is missing from one that a broker which has just started does not know yet.
import { brokerErrorType, codedError, FatalLogFault } from './errors.ts';

/** A topic that stays unknown for this long is missing, ms. */
const UNKNOWN_TOPIC_PATIENCE_MS = 15_000;
/** Errors further apart than this have nothing to do with each other, ms. */
const SAME_SPELL_MS = 5_000;

/** Watches errors for topics that stay unknown. */
export class TopicPatience {
  #since = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** The fatal fault when a topic has been unknown for too long; otherwise undefined. */
  exhausted(error: unknown, now = performance.now()): FatalLogFault | undefined {
    const { code, message } = codedError(error);
    if (code !== 'TOPIC_UNKNOWN' && brokerErrorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    if (now - this.#lastAt > SAME_SPELL_MS) this.#since = now;
    this.#lastAt = now;
    if (now - this.#since < UNKNOWN_TOPIC_PATIENCE_MS) return undefined;
    return new FatalLogFault('TOPIC_UNKNOWN', `${message} Run \`corridor topics apply\`.`, error);
  }
}
