-- What did each corridor earn: fees and margin, in minor units of the source currency?
SELECT corridorId, sourceCurrency, sum(feesMinor) AS feesMinor, sum(marginMinor) AS marginMinor, sum(feesMinor + marginMinor) AS revenueMinor
FROM events WHERE state = 'COMPLETED' GROUP BY ALL ORDER BY ALL;
