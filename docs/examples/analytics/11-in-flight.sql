-- What has not ended: by state, with the money that was instructed?
SELECT state, instructedCurrency, count(*) AS transfers, sum(instructedMinor) AS instructedMinor
FROM latest WHERE NOT ended GROUP BY ALL ORDER BY ALL;
