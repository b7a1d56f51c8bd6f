-- Generated from topics/ and schemas/avro by `npm run generate`; do not edit.
{% if has_files('reference.versions') %}
select * from {{ source('export', 'reference_versions') }}
qualify row_number() over (partition by "versionId" order by "kafkaOffset" desc) = 1
{% else %}
select
  null::varchar as "versionId",
  null::varchar as "kind",
  null::varchar as "id",
  null::varchar as "version",
  null::timestamp as "validFrom",
  null::timestamp as "validTo",
  null::integer as "policyVersion",
  null::varchar as "contentHash",
  null::varchar as "corridorIds",
  null::varchar as "code",
  null::varchar as "currency",
  null::integer as "bps",
  null::bigint as "flatMinor",
  null::bigint as "limitMinor",
  null::varchar as "metric",
  null::varchar as "action",
  null::varchar as "content",
  null::integer as "contractVersion",
  null::timestamp as "recordedAt",
  null::integer as "kafkaPartition",
  null::bigint as "kafkaOffset"
where false
{% endif %}
