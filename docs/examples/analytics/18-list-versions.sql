-- Against which list versions was screened, and with what outcome?
SELECT list, screeningOutcome, count(DISTINCT transferId) AS transfers
FROM (SELECT transferId, screeningOutcome, unnest(screeningLists::JSON::VARCHAR[]) AS list FROM events WHERE state = 'SCREENED') GROUP BY ALL ORDER BY ALL;
