-- What each corridor did on each day (UTC, by when the broker took the row): volume, revenue and ends. Minor units of the
-- source currency; revenue is fees and margin of what was completed.
select
  "recordedAt"::date as day,
  "corridorId" as corridor_id,
  "sourceCurrency" as source_currency,
  any_value("sourceExponent") as source_exponent,
  count(*) filter (state = 'ACCEPTED') as accepted,
  count(*) filter (state = 'COMPLETED') as completed,
  count(*) filter (state = 'REJECTED') as rejected,
  count(*) filter (state = 'RETURNED') as returned,
  count(*) filter (state = 'HELD') as held,
  count(*) filter (state = 'DEAD_LETTERED') as dead_lettered,
  coalesce(sum("debitMinor") filter (state = 'COMPLETED'), 0)::bigint as debit_minor,
  coalesce(sum("feesMinor") filter (state = 'COMPLETED'), 0)::bigint as fees_minor,
  coalesce(sum("marginMinor") filter (state = 'COMPLETED'), 0)::bigint as margin_minor,
  coalesce(sum("feesMinor" + "marginMinor") filter (state = 'COMPLETED'), 0)::bigint as revenue_minor
from {{ ref('stg_transfer_lifecycle') }}
group by day, corridor_id, source_currency
