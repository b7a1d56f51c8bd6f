// Telling what stays from what passes: a topic that is missing from one that a broker which has just started does not know
// yet, and a client that is broken for good from one that trips once.
import { brokerErrorType, codedError, FatalConsumerFault } from './fault.ts';

/** A topic that stays unknown for this long is missing, ms. */
const UNKNOWN_TOPIC_DEADLINE_MS = 15_000;
/** Errors further apart than this have nothing to do with each other, ms. */
const SAME_SPELL_MS = 5_000;

/** Watches errors for topics that stay unknown. */
export class UnknownTopicDeadline {
  #since = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** The fatal fault when a topic has been unknown for too long; otherwise undefined. */
  passed(error: unknown, now = performance.now()): FatalConsumerFault | undefined {
    const { code, message } = codedError(error);
    if (code !== 'TOPIC_UNKNOWN' && brokerErrorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    if (now - this.#lastAt > SAME_SPELL_MS) this.#since = now;
    this.#lastAt = now;
    if (now - this.#since < UNKNOWN_TOPIC_DEADLINE_MS) return undefined;
    return new FatalConsumerFault('TOPIC_UNKNOWN', `${message} Run \`corridor topics apply\`.`, error);
  }
}

/** A client that fails like this for so long does not come right by itself, ms. */
const BROKEN_CLIENT_DEADLINE_MS = 60_000;

/**
 * Watches for errors that no broker and no connection explains (CLIENT_BUG). Fresh connections were tried each time; when
 * they do not help either, the process is to be started anew rather than to try for ever.
 */
export class BrokenClientDeadline {
  #since: number | undefined;

  /** To be called when something has worked. */
  worked(): void {
    this.#since = undefined;
  }

  /** The fatal fault when nothing but such errors came for too long; otherwise undefined. */
  passed(error: unknown, now = performance.now()): FatalConsumerFault | undefined {
    const { code, message } = codedError(error);
    if (code !== 'CLIENT_BUG') {
      this.#since = undefined;
      return undefined;
    }
    this.#since ??= now;
    if (now - this.#since < BROKEN_CLIENT_DEADLINE_MS) return undefined;
    return new FatalConsumerFault(
      'CLIENT_BROKEN',
      `${message} Fresh connections did not help: start the process anew.`,
      error,
    );
  }
}
