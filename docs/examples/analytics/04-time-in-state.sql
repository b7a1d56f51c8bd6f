-- How long do transfers stay in each state (median and 95th percentile, ms)?
SELECT previousState, count(*) AS times, quantile_disc(date_diff('millisecond', previousOccurredAt, occurredAt), 0.5) AS p50Ms,
  quantile_disc(date_diff('millisecond', previousOccurredAt, occurredAt), 0.95) AS p95Ms
FROM events WHERE eventKind = 'TRANSITION' AND previousOccurredAt IS NOT NULL GROUP BY ALL ORDER BY ALL;
