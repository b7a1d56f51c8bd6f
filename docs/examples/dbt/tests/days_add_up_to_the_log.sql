-- Fails when the days do not add up to the rows that they were made of.
with days as (select sum(completed) as completed, sum(revenue_minor) as revenue from {{ ref('corridor_days') }}),
rows as (
  select count(*) as completed, sum("feesMinor" + "marginMinor") as revenue
  from {{ ref('stg_transfer_lifecycle') }} where state = 'COMPLETED'
)
select * from days, rows where days.completed <> rows.completed or days.revenue is distinct from rows.revenue
