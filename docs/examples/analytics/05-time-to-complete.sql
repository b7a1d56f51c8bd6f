-- How long does it take from the first row to the payment, by corridor (ms)?
WITH begun AS (SELECT transferId, occurredAt FROM events WHERE sequence = 1 AND eventKind = 'TRANSITION')
SELECT e.corridorId, count(*) AS transfers, quantile_disc(date_diff('millisecond', b.occurredAt, e.occurredAt), 0.5) AS p50Ms
FROM events e JOIN begun b USING (transferId) WHERE e.state = 'COMPLETED' GROUP BY ALL ORDER BY ALL;
