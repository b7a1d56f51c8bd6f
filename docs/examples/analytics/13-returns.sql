-- How much came back, by corridor, of how many payments?
SELECT corridorId, targetCurrency, count(*) FILTER (state = 'COMPLETED') AS paid, count(*) FILTER (state = 'RETURNED') AS returned,
  sum(returnedMinor) AS returnedMinor
FROM events WHERE state IN ('COMPLETED', 'RETURNED') GROUP BY ALL ORDER BY ALL;
