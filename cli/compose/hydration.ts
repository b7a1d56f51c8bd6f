// Keeps the limits ledger in step with the log: filled at the first start, and again whenever Redis has lost it.
import type { LimitRule } from '../../domain/limit-rules.ts';
import type { LedgerStore } from '../../processors/limits/ports.ts';
import { LEDGER_TOPICS, LedgerFold, type LedgerTopic } from '../../processors/limits/rebuild.ts';
import type { Host, HostHealth, HostState } from '../../runtime/host.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Codec } from '../../runtime/ports/codec.ts';
import { CodedError } from '../../runtime/ports/fault.ts';
import type { Log } from '../../runtime/ports/log.ts';

const CHECK_EVERY_MS = 1_000;

export interface HydrationOptions {
  readonly ledger: LedgerStore;
  readonly log: Log;
  readonly codec: Codec;
  readonly rules: readonly LimitRule[];
  readonly logger: Logger;
  /**
   * A batch that had reserved in the lost ledger may commit only now, so the log is read after this long, ms. What still
   * comes later is counted when its transfer ends: a settlement counts what the ledger does not know.
   */
  readonly settleMs: number;
}

/** Recomputes the ledger from the whole log and puts it in place, unless another process was faster. */
export async function rebuildLedger(
  options: HydrationOptions,
  expected: string | null,
): Promise<'replaced' | 'overtaken'> {
  const { ledger, log, codec, rules } = options;
  await codec.load(LEDGER_TOPICS);
  const fold = new LedgerFold(rules);
  const reader = log.reader();
  const ranges = await reader.offsets(LEDGER_TOPICS);
  await reader.read(ranges, async ({ topic, records }) => {
    const name = topic as LedgerTopic;
    const decoded = await codec.decode(
      name,
      records.map(({ value }) => value),
    );
    for (const result of decoded) {
      if (!result.ok) {
        throw new CodedError(result.code, `the limits ledger cannot be rebuilt: ${topic} ${result.detail}`, {
          faultClass: 'fatal',
        });
      }
      fold.add(name, result.value);
    }
  });
  return ledger.replaceAll(fold.state(), expected);
}

/** Watches the ledger for as long as the limits processor of this process runs. */
export function hydrationHost(options: HydrationOptions): Host {
  const { ledger, logger, settleMs } = options;
  const stopping = new AbortController();
  let state: HostState = 'new';
  let trouble: HostHealth['troubles'] = [];
  let running: Promise<void> = Promise.resolve();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);

  async function once(first: boolean): Promise<void> {
    const { hydrated, marker } = await ledger.status();
    if (hydrated) return;
    logger.warn({ code: 'LIMITS_NOT_HYDRATED' }, 'the limits ledger is lost or new: rebuilding it from the log');
    // At the start of a process nothing of its own is on its way.
    if (!first) await pause(settleMs, stopping.signal);
    const began = performance.now();
    const result = await rebuildLedger(options, marker);
    logger.info(
      { code: result.toUpperCase(), elapsedMs: Math.round(performance.now() - began) },
      'limits ledger rebuilt',
    );
  }

  async function loop(): Promise<void> {
    for (let first = true; !stopping.signal.aborted; first = false) {
      try {
        await once(first);
        trouble = [];
      } catch (error) {
        if (error instanceof CodedError && error.faultClass === 'fatal') {
          state = 'failed';
          failed.reject(error);
          return;
        }
        const { code, dependency, message } = error as CodedError;
        const since = trouble[0]?.since ?? Date.now();
        trouble = [
          {
            dependency: dependency ?? 'kafka',
            code: code ?? 'LIMITS_NOT_HYDRATED',
            detail: message,
            since,
            topic: 'transfer.reserved',
            partition: 0,
            lastMetAt: performance.now(),
          },
        ];
      }
      await pause(CHECK_EVERY_MS, stopping.signal);
    }
  }

  return {
    name: 'limits-hydration',
    failed: failed.promise,
    async start() {
      state = 'running';
      running = loop();
    },
    health: () => ({ name: 'limits-hydration', state, partitions: [], troubles: trouble, tables: [] }),
    async stop() {
      state = 'draining';
      stopping.abort();
      await running;
      state = 'stopped';
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
