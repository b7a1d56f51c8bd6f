-- Why were accepted transfers declined, and where?
SELECT stage, code, count(*) AS transfers
FROM (SELECT stage, unnest(reasonCodes::JSON::VARCHAR[]) AS code FROM events WHERE state = 'REJECTED') GROUP BY ALL ORDER BY ALL;
