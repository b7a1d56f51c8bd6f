-- How many transfers came to each state, at least once?
SELECT state, count(DISTINCT transferId) AS transfers
FROM events WHERE eventKind = 'TRANSITION' GROUP BY ALL ORDER BY ALL;
