-- By which versions of which terms and limit rules did transfers go, and do these still count?
WITH used AS (
  SELECT transferId, termsVersion AS version, unnest(termIds::JSON::VARCHAR[]) AS id, false AS isLimit FROM events WHERE state = 'PRICED'
  UNION ALL
  SELECT transferId, limitRulesVersion, unnest(limitRuleIds::JSON::VARCHAR[]), true FROM events WHERE state = 'RESERVED')
SELECT u.version, u.id, count(DISTINCT transferId) AS transfers, 
  bool_or(epoch_ms(validFrom) <= epoch_ms(now()) AND (validTo IS NULL OR epoch_ms(now()) < epoch_ms(validTo))) AS isCurrent
FROM used u JOIN reference_versions v ON v.version = u.version AND v.id = u.id AND (v.kind = 'LIMIT_RULE') = u.isLimit
WHERE v.kind NOT IN ('CORRIDOR', 'PROVIDER', 'LIST') GROUP BY ALL ORDER BY ALL;
