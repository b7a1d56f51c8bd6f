-- Who sends the same intent again, and how often?
SELECT producerId, count(*) AS repeats, count(DISTINCT transferId) AS transfers FROM duplicated GROUP BY ALL ORDER BY ALL;
