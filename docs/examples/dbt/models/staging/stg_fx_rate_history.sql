-- Generated from topics/ and schemas/avro by `npm run generate`; do not edit.
{% if has_files('fx.rate-history') %}
select * from {{ source('export', 'fx_rate_history') }}
{% else %}
select
  null::varchar as "rateId",
  null::varchar as "source",
  null::varchar as "base",
  null::varchar as "quote",
  null::varchar as "rate",
  null::timestamp as "observedAt",
  null::timestamp as "publishedAt",
  null::varchar as "rawHash",
  null::integer as "baseExponent",
  null::integer as "quoteExponent",
  null::integer as "contractVersion",
  null::timestamp as "appendedAt",
  null::timestamp as "recordedAt",
  null::integer as "kafkaPartition",
  null::bigint as "kafkaOffset"
where false
{% endif %}
