// How long transfers take, from the intent to the end, counted where every end comes by.
import type { Metrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import type { transferViewSink } from '../../sinks/transfer-view/sink.ts';

const ENDS: ReadonlySet<string> = new Set(['COMPLETED', 'REJECTED', 'RETURNED']);

type ViewSink = ReturnType<typeof transferViewSink>;

/** The sink of the view, which counts the ends that it has written. */
export function timed(sink: ViewSink, metrics: Pick<Metrics, 'transferSeconds'>): ViewSink {
  return {
    ...sink,
    async write(batch) {
      const report = await sink.write(batch);
      for (const { value } of batch) observe(value, metrics);
      return report;
    },
  };
}

/** A producer's clock may be ahead of ours: no time is below zero. */
function observe(
  { state, occurredAt, requestedAt }: TransferLifecycle,
  metrics: Pick<Metrics, 'transferSeconds'>,
): void {
  if (!ENDS.has(state)) return;
  metrics.transferSeconds.observe(
    { end: state.toLowerCase() },
    Math.max(0, Number(occurredAt) - Number(requestedAt)) / 1_000,
  );
}
