-- Why were intents refused, by corridor and producer?
SELECT corridorId, producerId, code, count(*) AS intents
FROM (SELECT corridorId, producerId, unnest(json_extract_string(reasons, '$[*].code')) AS code FROM refused) GROUP BY ALL ORDER BY ALL;
