-- Where do transfers stand still for a dead letter, and how much money with them?
SELECT stage, reasonCodes::JSON ->> '$[0]' AS code, instructedCurrency, count(*) AS transfers, sum(instructedMinor) AS instructedMinor
FROM latest WHERE state = 'DEAD_LETTERED' GROUP BY ALL ORDER BY ALL;
