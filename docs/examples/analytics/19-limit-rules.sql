-- Which limit rules did reserved transfers count against?
SELECT rule, count(DISTINCT transferId) AS transfers
FROM (SELECT transferId, unnest(limitRuleIds::JSON::VARCHAR[]) AS rule FROM events WHERE state = 'RESERVED') GROUP BY ALL ORDER BY ALL;
