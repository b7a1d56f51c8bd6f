// The table of metrics, from runtime/logs-and-metrics/metrics.ts, with the alarm that each suggests.
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';

/** What to be woken for, in PromQL, by metric. A metric that is not here suggests none: it is for graphs. */
export const ALARMS: Readonly<Record<string, string>> = {
  corridor_analytics_row_age_seconds:
    'histogram_quantile(0.99, sum by (le) (rate(corridor_analytics_row_age_seconds_bucket[5m]))) > 60',
  corridor_dead_letters_total: 'sum(rate(corridor_dead_letters_total{consumer!="intake"}[5m])) > 0',
  corridor_lag_records: 'sum by (consumer) (corridor_lag_records) > 10000 for 10m',
  corridor_paused_partitions: 'sum by (consumer, code) (corridor_paused_partitions{code!="RETRY_NOT_DUE"}) > 0 for 5m',
  corridor_waiting_partitions: 'max by (consumer) (corridor_waiting_partitions) > 0 for 5m',
  corridor_host_standing: 'max by (consumer) (corridor_host_standing) > 0 for 2m',
  corridor_table_skipped_records: 'max by (consumer, topic) (corridor_table_skipped_records) > 0',
  corridor_provider_circuit: 'max by (provider) (corridor_provider_circuit) == 2 for 5m',
  corridor_payouts_of_other_providers: 'max(corridor_payouts_of_other_providers) > 0 for 10m',
  corridor_provider_clock_ahead_seconds: 'abs(corridor_provider_clock_ahead_seconds) > 30 for 5m',
  corridor_api_request_seconds:
    'sum(rate(corridor_api_request_seconds_count{status=~"5.."}[5m])) / sum(rate(corridor_api_request_seconds_count[5m])) > 0.01',
  corridor_sink_writes_total: 'sum by (consumer) (rate(corridor_sink_writes_total{result="failed"}[5m])) > 0',
  corridor_transfer_seconds:
    'histogram_quantile(0.99, sum by (le) (rate(corridor_transfer_seconds_bucket{end="completed"}[15m]))) > 900',
  corridor_stuck_transfers: 'max by (owner) (corridor_stuck_transfers{kind="PAYOUT_UNKNOWN"}) > 20 for 10m',
  corridor_stuck_value_minor:
    'max by (kind, owner, currency) (corridor_stuck_value_minor{kind="DEAD_LETTER"}) > what one day may cost you',
  corridor_stuck_oldest_seconds:
    'max(corridor_stuck_oldest_seconds{kind="PAYOUT_UNKNOWN"}) > 1800, {kind="DEAD_LETTER"} > 3600, {kind="HOLD"} > 86400',
  corridor_stuck_incomplete: 'max(corridor_stuck_incomplete) > 0 for 30m',
  corridor_fx_open_position_minor:
    'abs(max by (currency) (corridor_fx_open_position_minor)) > what you may be open for',
  corridor_fx_positions_left_out: 'max(corridor_fx_positions_left_out) > 0',
  corridor_webhook_oldest_seconds:
    'max(corridor_webhook_oldest_seconds) > 7200 unless max(corridor_webhook_breakers_open) > 0',
  corridor_unknown_payouts_without_case: 'max(corridor_unknown_payouts_without_case) > 20 for 30m',
};

export function metricsTable(): string {
  const metrics = createMetrics().registry.getMetricsAsArray() as unknown as readonly Described[];
  const rows = metrics
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((metric) => {
      const labels = (metric.labelNames ?? []).map((label) => `\`${label}\``).join(', ');
      const alarm = ALARMS[metric.name];
      return `| \`${metric.name}\` | ${typeOf(metric)} | ${labels} | ${cell(metric.help)} | ${alarm ? `\`${cell(alarm)}\`` : ''} |`;
    });
  return ['| metric | type | labels | what it says | alarm |', '|---|---|---|---|---|', ...rows].join('\n');
}

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

const typeOf = (metric: object): string => metric.constructor.name.toLowerCase();
const cell = (text: string): string => text.replaceAll('|', '\\|');
