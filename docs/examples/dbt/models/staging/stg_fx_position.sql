-- Generated from topics/ and schemas/avro by `npm run generate`; do not edit.
{% if has_files('fx.position') %}
select * from {{ source('export', 'fx_position') }}
{% else %}
select
  null::varchar as "eventId",
  null::varchar as "transferId",
  null::integer as "attempt",
  null::integer as "sequence",
  null::varchar as "change",
  null::timestamp as "occurredAt",
  null::varchar as "corridorId",
  null::varchar as "sourceCurrency",
  null::bigint as "sourceMinor",
  null::varchar as "targetCurrency",
  null::bigint as "targetMinor",
  null::timestamp as "recordedAt",
  null::integer as "kafkaPartition",
  null::bigint as "kafkaOffset"
where false
{% endif %}
