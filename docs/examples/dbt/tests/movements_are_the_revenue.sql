-- Fails with currencies in which fees and margin that moved are not the revenue of the rows, of transfers that have moved.
-- An export is made topic by topic: a transfer that has only just ended may have its row and no movements yet.
with moved as (
  select distinct "eventId" from {{ ref('stg_transfer_money') }}
),
rows as (
  select "sourceCurrency" as currency, sum("feesMinor" + "marginMinor") as revenue
  from {{ ref('stg_transfer_lifecycle') }} semi join moved using ("eventId")
  where state = 'COMPLETED' group by all
),
movements as (
  select currency, sum(minor) as revenue
  from {{ ref('stg_transfer_money') }} where role in ('FEES', 'MARGIN') group by all
)
select * from rows full join movements using (currency)
where coalesce(rows.revenue, 0) <> coalesce(movements.revenue, 0)
