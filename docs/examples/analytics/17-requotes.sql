-- How many prices did completed transfers need?
SELECT attempt, count(*) AS transfers FROM events WHERE state = 'COMPLETED' GROUP BY ALL ORDER BY ALL;
