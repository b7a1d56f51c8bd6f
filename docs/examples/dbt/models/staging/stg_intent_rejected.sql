-- Generated from topics/ and schemas/avro by `npm run generate`; do not edit.
{% if has_files('intent.rejected') %}
select * from {{ source('export', 'intent_rejected') }}
{% else %}
select
  null::varchar as "eventId",
  null::varchar as "transferId",
  null::varchar as "originPosition",
  null::timestamp as "occurredAt",
  null::varchar as "reasons",
  null::varchar as "firstOriginPosition",
  null::varchar as "producerId",
  null::varchar as "transferRules",
  null::varchar as "brokenRules",
  null::varchar as "corridorId",
  null::varchar as "sourceCurrency",
  null::varchar as "targetCurrency",
  null::bigint as "instructedMinor",
  null::varchar as "instructedCurrency",
  null::varchar as "amountSide",
  null::timestamp as "recordedAt",
  null::integer as "kafkaPartition",
  null::bigint as "kafkaOffset"
where false
{% endif %}
