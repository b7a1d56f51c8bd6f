-- How many holds were there, by stage and reason?
SELECT stage, code, count(*) AS holds
FROM (SELECT stage, unnest(reasonCodes::JSON::VARCHAR[]) AS code FROM events WHERE state = 'HELD') GROUP BY ALL ORDER BY ALL;
