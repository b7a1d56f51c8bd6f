-- Which transfers are held now, and how much money waits in them?
SELECT stage, instructedCurrency, count(*) AS transfers, sum(instructedMinor) AS instructedMinor
FROM latest WHERE state = 'HELD' GROUP BY ALL ORDER BY ALL;
