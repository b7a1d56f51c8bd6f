-- Which fees were earned?
SELECT sourceCurrency, fee ->> '$.code' AS code, sum(CAST(fee ->> '$.minor' AS BIGINT)) AS minor
FROM (SELECT sourceCurrency, unnest(fees::JSON[]) AS fee FROM events WHERE state = 'COMPLETED') GROUP BY ALL ORDER BY ALL;
