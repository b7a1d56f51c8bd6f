// Controls under a key that a process lacks: it can honour none of them, and says so.
import { safeText } from '../../domain/text/text.ts';
import type { LogRecord } from '../../ports/log.ts';

/** Controls under a key that this process lacks, at once. */
const MAX_UNREAD = 100;

export interface Unread {
  readonly key: string;
  readonly detail: string;
  readonly offset: number;
  /** When it was written, ms since 1970. */
  readonly since: number;
}

/**
 * What was set under a key that is not in the ring here: a pause of which this process knows nothing, while whoever set it is
 * told that it holds. Until the same target is set under a key that is known.
 */
export class UnreadControls {
  readonly #unread = new Map<string, Unread>();
  readonly #read = new Map<string, number>();
  readonly #unreported = new Map<string, Unread>();

  note({ key: bytes, offset, timestamp: since }: LogRecord, flaw: string | undefined): void {
    const key = safeText(bytes?.toString('utf8') ?? '', 100);
    if (flaw === undefined) {
      this.#read.set(key, offset);
      if ((this.#unread.get(key)?.offset ?? offset) < offset) this.#unread.delete(key);
      return;
    }
    if (flaw !== 'SEAL_KEY_UNKNOWN' || offset < (this.#read.get(key) ?? -1)) return;
    if (!this.#unread.has(key) && this.#unread.size >= MAX_UNREAD) return;
    const detail = `${key} was set under a key of operators that this process does not have, and is not honoured here: give it the ring (docs/security.md#replace-a-key), then set it again`;
    const found = { key, detail, offset, since };
    this.#unread.set(key, found);
    this.#unreported.set(key, found);
  }

  all(): readonly Unread[] {
    return [...this.#unread.values()];
  }

  /** Those that were not reported yet, once. */
  take(): readonly Unread[] {
    const unreported = [...this.#unreported.values()].filter(
      ({ key, offset }) => this.#unread.get(key)?.offset === offset,
    );
    this.#unreported.clear();
    return unreported;
  }
}
