-- What did the exchange earn on each day, in one reporting currency (EUR, or SET VARIABLE reporting = 'GBP')?
WITH earned AS (
  SELECT CAST(recordedAt AS DATE) AS day, sourceCurrency, count(*) AS transfers, sum(marginMinor) AS marginMinor
  FROM events WHERE state = 'COMPLETED' GROUP BY ALL)
SELECT strftime(e.day, '%Y-%m-%d') AS day, e.sourceCurrency, transfers, marginMinor,
  coalesce(getvariable('reporting'), 'EUR') AS reportingCurrency, CAST(round(marginMinor * r.factor) AS BIGINT) AS reportingMinor
FROM earned e LEFT JOIN reporting_rates r ON r.day = e.day AND r.currency = e.sourceCurrency ORDER BY ALL;
