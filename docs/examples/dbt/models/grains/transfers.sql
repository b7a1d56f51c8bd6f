-- One row a transfer: its latest row. The highest sequence, and of two with the same sequence the mark; nothing else decides.
select *
from {{ ref('stg_transfer_lifecycle') }}
qualify row_number() over (partition by "transferId" order by sequence desc, "eventKind" = 'MARK' desc) = 1
