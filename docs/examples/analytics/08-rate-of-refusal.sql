-- Which share of the intents of each corridor was refused (per thousand)?
WITH taken AS (SELECT corridorId, count(*) AS n FROM events WHERE state = 'ACCEPTED' GROUP BY ALL),
  gone AS (SELECT corridorId, count(*) AS n FROM refused GROUP BY ALL)
SELECT corridorId, coalesce(taken.n, 0) AS accepted, coalesce(gone.n, 0) AS refused,
  coalesce(gone.n, 0) * 1000 // (coalesce(taken.n, 0) + coalesce(gone.n, 0)) AS perThousand
FROM taken FULL JOIN gone USING (corridorId) WHERE corridorId IS NOT NULL ORDER BY ALL;
