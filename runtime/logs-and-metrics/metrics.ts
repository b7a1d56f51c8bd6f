// What a process counts, for Prometheus. Labels are few and bounded: names of consumers, topics, codes.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

type Registers = { readonly registers: Registry[] };

/** All metrics of a process. */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}) {
  const registry = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  const into = { registers: [registry] };
  return {
    registry,
    ...recordMetrics(into),
    ...transferMetrics(into),
    ...quoteMetrics(into),
    ...progressMetrics(into),
    ...payoutMetrics(into),
    ...serverMetrics(into),
    ...auditMetrics(into),
    ...webhookMetrics(into),
    ...analyticsMetrics(into),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** What becomes of records, and how long it takes. */
function recordMetrics({ registers }: Registers) {
  return {
    recordsIn: new Counter({
      name: 'corridor_records_in_total',
      help: 'Records handed to a consumer, those of repeated batches included.',
      labelNames: ['consumer', 'topic'],
      registers,
    }),
    records: new Counter({
      name: 'corridor_records_total',
      help: 'Records by source topic and what became of them: done, retry, wait, dropped or dead-letter.',
      labelNames: ['consumer', 'topic', 'disposition'],
      registers,
    }),
    recordsOut: new Counter({
      name: 'corridor_records_out_total',
      help: 'Records given to the log, by topic.',
      labelNames: ['consumer', 'topic'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'corridor_dead_letters_total',
      help: 'Dead letters by code and class.',
      labelNames: ['consumer', 'code', 'class'],
      registers,
    }),
    batchRecords: new Histogram({
      name: 'corridor_batch_records',
      help: 'Records per batch.',
      labelNames: ['consumer'],
      buckets: [1, 5, 20, 50, 100, 200, 500, 1_000, 2_000],
      registers,
    }),
    handlerSeconds: new Histogram({
      name: 'corridor_batch_handler_seconds',
      help: 'Time from a batch to its outputs, before the commit.',
      labelNames: ['consumer'],
      buckets: [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1, 5, 30],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'corridor_commit_seconds',
      help: 'Time that a transaction (or, for sinks, an offset commit) takes; its count is the number of them.',
      labelNames: ['consumer'],
      buckets: [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    controlsInForce: new Gauge({
      name: 'corridor_controls_in_force',
      help: 'What people have paused, by kind, and glass (GLASS) that was broken and that nobody has reviewed.',
      labelNames: ['kind'],
      registers,
    }),
    faults: new Counter({
      name: 'corridor_faults_total',
      help: 'Faults by code.',
      labelNames: ['consumer', 'code'],
      registers,
    }),
    sinkWrites: new Counter({
      name: 'corridor_sink_writes_total',
      help: 'Writes of sinks by result: written, stale or failed.',
      labelNames: ['consumer', 'result'],
      registers,
    }),
  };
}

/** Transfers by their money and their age. */
function transferMetrics({ registers }: Registers) {
  return {
    transferSeconds: new Histogram({
      name: 'corridor_transfer_seconds',
      help: 'Time from the producer making an intent to the end of its transfer, by end; a record that a sink reads twice counts twice.',
      labelNames: ['end'],
      buckets: [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400, 604_800],
      registers,
    }),
    stuckTransfers: new Gauge({
      name: 'corridor_stuck_transfers',
      help: 'Transfers that do not go on, by why (kind) and where (owner), as `corridor stuck` shows them; looked at every 30 s.',
      labelNames: ['kind', 'owner'],
      registers,
    }),
    stuckValue: new Gauge({
      name: 'corridor_stuck_value_minor',
      help: 'What producers have instructed in them, in minor units of the currency (beyond 2^53 rounded); looked at every 30 s.',
      labelNames: ['kind', 'owner', 'currency'],
      registers,
    }),
    stuckOldest: new Gauge({
      name: 'corridor_stuck_oldest_seconds',
      help: 'How long the longest of them is stuck (HOLD: the oldest held; PAYOUT_UNKNOWN: the oldest unknown; DEAD_LETTER: the oldest dead letter); looked at every 30 s.',
      labelNames: ['kind', 'owner'],
      registers,
    }),
    stuckIncomplete: new Gauge({
      name: 'corridor_stuck_incomplete',
      help: '1 while the last look at what is stuck was not whole: a source is away, or has more than is looked at.',
      registers,
    }),
    limitsHistoryShort: new Gauge({
      name: 'corridor_limits_history_short',
      help: '1 for each limit rule that counts less than was used, since the log and the snapshots did not reach back to where its window began when Redis was lost.',
      labelNames: ['rule'],
      registers,
    }),
    ratesWaiting: new Gauge({
      name: 'corridor_rates_waiting',
      help: '1 for each pair of a corridor whose rate jumped (RATE_JUMPED) or is disputed (RATE_DISPUTED): its transfers wait, and a person is needed. Set when scraped; of processes that run fx-pricing.',
      labelNames: ['corridor', 'pair', 'code'],
      registers,
    }),
    openPosition: new Gauge({
      name: 'corridor_fx_open_position_minor',
      help: 'Open exposure by currency, in minor units (beyond 2^53 rounded): above zero is held, below zero is owed. Counted every 30 s by each process that runs fx-pricing: take the maximum of one currency, not the sum.',
      labelNames: ['currency'],
      registers,
    }),
    positionsUncounted: new Gauge({
      name: 'corridor_fx_positions_uncounted',
      help: 'Offsets of fx.position that the count of open positions has not come to yet.',
      registers,
    }),
    positionsLeftOut: new Gauge({
      name: 'corridor_fx_positions_left_out',
      help: 'Records of fx.position that the count left out, since nothing proves or reads them; one more where the log had forgotten some before they were counted.',
      registers,
    }),
    unknownPayoutsWithoutCase: new Gauge({
      name: 'corridor_unknown_payouts_without_case',
      help: 'Payouts of unknown outcome that are no cases yet, so that no inbox has them; looked at every 30 s.',
      registers,
    }),
  };
}

/** Requests for a price before the transfer. */
function quoteMetrics({ registers }: Registers) {
  return {
    quotesOldestUnanswered: new Gauge({
      name: 'corridor_quotes_oldest_unanswered_seconds',
      help: 'How long requests for quotes have waited: since the oldest that was found and is not answered, or since answering failed; 0 while each is answered at once. Set when health is asked; of processes that run fx-pricing.',
      registers,
    }),
    quotesRefusedUnread: new Counter({
      name: 'corridor_quotes_refused_unread_total',
      help: 'Requests for quotes that were refused since they could not be read or priced (QFLT): a bug, or somebody else wrote to the database.',
      registers,
    }),
  };
}

/** How far consumers have come, and whether they stand. */
function progressMetrics({ registers }: Registers) {
  return {
    lag: new Gauge({
      name: 'corridor_lag_records',
      help: 'Records not handled yet, by input topic; set when scraped.',
      labelNames: ['consumer', 'topic'],
      registers,
    }),
    pausedPartitions: new Gauge({
      name: 'corridor_paused_partitions',
      help: 'Input partitions paused, by code; set when scraped.',
      labelNames: ['consumer', 'code'],
      registers,
    }),
    waitingPartitions: new Gauge({
      name: 'corridor_waiting_partitions',
      help: 'Input partitions that wait for a dependency.',
      labelNames: ['consumer'],
      registers,
    }),
    hostStanding: new Gauge({
      name: 'corridor_host_standing',
      help: '1 while a stage, sink or the executor stands: it stopped by itself and waits to be started again. Set when scraped.',
      labelNames: ['consumer'],
      registers,
    }),
    hostStops: new Counter({
      name: 'corridor_host_stops_total',
      help: 'How often a stage, sink or the executor stopped by itself, by code.',
      labelNames: ['consumer', 'code'],
      registers,
    }),
    tableSkipped: new Gauge({
      name: 'corridor_table_skipped_records',
      help: 'Records of a followed table that could not be read, since the consumer started; the last good values stay. Set when scraped.',
      labelNames: ['consumer', 'topic'],
      registers,
    }),
    underWay: new Gauge({
      name: 'corridor_under_way',
      help: 'What a consumer has begun beyond its batches, by what it waits for (payouts: submit, outcome, query, publication); set when scraped.',
      labelNames: ['consumer', 'waits_for'],
      registers,
    }),
  };
}

/** Payouts and their provider. */
function payoutMetrics({ registers }: Registers) {
  return {
    providerCircuit: new Gauge({
      name: 'corridor_provider_circuit',
      help: 'Circuit of a payout provider: 0 closed, 1 half open, 2 open.',
      labelNames: ['provider'],
      registers,
    }),
    payoutsOfOtherProviders: new Gauge({
      name: 'corridor_payouts_of_other_providers',
      help: 'Payouts of other providers than the one that is configured which are due: nothing of them is sent or asked; counted to 1,000 at most.',
      labelNames: ['provider'],
      registers,
    }),
    providerClockAhead: new Gauge({
      name: 'corridor_provider_clock_ahead_seconds',
      help: "How far the provider's clock was ahead of ours in its last answer; negative: behind.",
      labelNames: ['provider'],
      registers,
    }),
  };
}

/** What is asked of the database, and of the API. */
function serverMetrics({ registers }: Registers) {
  return {
    databaseCommands: new Counter({
      name: 'corridor_database_commands_total',
      help: 'Commands sent to MongoDB, by collection; one holds the writes of a batch.',
      labelNames: ['command', 'collection'],
      registers,
    }),
    databaseWrites: new Counter({
      name: 'corridor_database_writes_total',
      help: 'Documents inserted and updates or deletes asked for in those commands.',
      labelNames: ['command', 'collection'],
      registers,
    }),
    apiSeconds: new Histogram({
      name: 'corridor_api_request_seconds',
      help: 'Time from a request to its answer, by route (its pattern), method and status.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15],
      registers,
    }),
  };
}

/** The grains for analysts. */
function analyticsMetrics({ registers }: Registers) {
  return {
    analyticsRowAge: new Histogram({
      name: 'corridor_analytics_row_age_seconds',
      help: 'How old the oldest lifecycle row of a batch is when it is folded into transfer.state and transfer.money; the commit follows.',
      buckets: [0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600],
      registers,
    }),
    analyticsCompleteUntil: new Gauge({
      name: 'corridor_analytics_complete_until_timestamp_seconds',
      help: 'Until when each partition of transfer.lifecycle is complete for analysts, as analytics.watermark says; looked at every 5 s.',
      labelNames: ['partition'],
      registers,
    }),
  };
}

/** The audit log. */
function auditMetrics({ registers }: Registers) {
  return {
    auditEntries: new Gauge({
      name: 'corridor_audit_log_entries',
      help: 'Entries of the audit log under its newest checkpoint; of the sequencer. What waits is its corridor_lag_records.',
      registers,
    }),
    auditSignedAt: new Gauge({
      name: 'corridor_audit_signed_timestamp_seconds',
      help: 'When the sequencer last signed a checkpoint. None is signed while nothing happens.',
      registers,
    }),
    auditWaiting: new Gauge({
      name: 'corridor_audit_waiting_entries',
      help: 'Entries that this process keeps in memory because the log has not taken them.',
      registers,
    }),
    auditLost: new Counter({
      name: 'corridor_audit_lost_entries_total',
      help: 'Entries that there was no room for while the log was away. Never of an act: those are refused.',
      registers,
    }),
  };
}

/** Webhooks to producers. */
function webhookMetrics({ registers }: Registers) {
  return {
    webhookTries: new Counter({
      name: 'corridor_webhook_tries_total',
      help: 'Tries to deliver a webhook by outcome: delivered, again (it failed, and is tried again) or failed (given up).',
      labelNames: ['outcome'],
      registers,
    }),
    webhooksWaiting: new Gauge({
      name: 'corridor_webhooks_waiting',
      help: 'Deliveries that wait to be sent, or to be sent again; counted to 100,000 at most, every 15 s.',
      registers,
    }),
    webhookOldest: new Gauge({
      name: 'corridor_webhook_oldest_seconds',
      help: 'How long the oldest of them waits; looked at every 15 s.',
      registers,
    }),
    webhookBreakersOpen: new Gauge({
      name: 'corridor_webhook_breakers_open',
      help: 'Endpoints that failed so often that they are left alone for a while; looked at every 15 s.',
      registers,
    }),
    webhookEndpointsDisabled: new Gauge({
      name: 'corridor_webhook_endpoints_disabled',
      help: 'Endpoints to which nothing is sent until somebody enables them; looked at every 15 s.',
      registers,
    }),
  };
}
