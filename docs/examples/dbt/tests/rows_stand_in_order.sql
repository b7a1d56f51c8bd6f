-- Fails with transitions that repeat a sequence, or that stand before one they follow.
select "transferId", sequence
from {{ ref('stg_transfer_lifecycle') }}
where "eventKind" = 'TRANSITION'
qualify count(*) over (partition by "transferId", sequence) > 1
  or "kafkaOffset" < max("kafkaOffset") over (
    partition by "transferId" order by sequence rows between unbounded preceding and 1 preceding)
