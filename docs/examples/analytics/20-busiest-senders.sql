-- Which senders sent most often (by token)?
SELECT debtorToken, count(*) AS transfers FROM events WHERE state = 'ACCEPTED' GROUP BY ALL ORDER BY transfers DESC, debtorToken LIMIT 5;
