-- Generated from topics/ and schemas/avro by `npm run generate`; do not edit.
{% if has_files('intent.duplicated') %}
select * from {{ source('export', 'intent_duplicated') }}
{% else %}
select
  null::varchar as "eventId",
  null::varchar as "transferId",
  null::varchar as "originPosition",
  null::varchar as "firstOriginPosition",
  null::timestamp as "occurredAt",
  null::varchar as "producerId",
  null::timestamp as "recordedAt",
  null::integer as "kafkaPartition",
  null::bigint as "kafkaOffset"
where false
{% endif %}
