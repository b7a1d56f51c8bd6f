-- What is open in each currency, and what does that come to in one reporting currency by the last close?
WITH moved AS (
  SELECT sourceCurrency AS currency, sourceMinor AS minor FROM positions
  UNION ALL SELECT targetCurrency, targetMinor FROM positions),
  latest_rates AS (SELECT * FROM reporting_rates WHERE day = (SELECT max(day) FROM reporting_rates))
SELECT currency, sum(minor) AS openMinor, coalesce(getvariable('reporting'), 'EUR') AS reportingCurrency,
  CAST(round(sum(minor) * any_value(factor)) AS BIGINT) AS reportingMinor
FROM moved LEFT JOIN latest_rates USING (currency) GROUP BY currency ORDER BY ALL;
