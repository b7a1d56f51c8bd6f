-- How many transfers were paid on each day and corridor, and how much was debited?
SELECT strftime(recordedAt, '%Y-%m-%d') AS day, corridorId, sourceCurrency, count(*) AS transfers, sum(debitMinor) AS debitMinor
FROM events WHERE state = 'COMPLETED' GROUP BY ALL ORDER BY ALL;
