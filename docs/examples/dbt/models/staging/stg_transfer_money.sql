-- Generated from topics/ and schemas/avro by `npm run generate`; do not edit.
{% if has_files('transfer.money') %}
select * from {{ source('export', 'transfer_money') }}
{% else %}
select
  null::varchar as "movementId",
  null::varchar as "eventId",
  null::varchar as "transferId",
  null::integer as "sequence",
  null::varchar as "state",
  null::varchar as "corridorId",
  null::varchar as "producerId",
  null::varchar as "role",
  null::varchar as "code",
  null::varchar as "currency",
  null::integer as "exponent",
  null::bigint as "minor",
  null::timestamp as "occurredAt",
  null::integer as "contractVersion",
  null::timestamp as "recordedAt",
  null::integer as "kafkaPartition",
  null::bigint as "kafkaOffset"
where false
{% endif %}
