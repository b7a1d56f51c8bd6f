-- How much does each producer send?
SELECT producerId, instructedCurrency, count(*) AS transfers, sum(instructedMinor) AS instructedMinor
FROM events WHERE state = 'ACCEPTED' GROUP BY ALL ORDER BY ALL;
