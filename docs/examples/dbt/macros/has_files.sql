-- Whether the export holds files of a topic: one of which nothing happened yet has none.
{% macro has_files(topic) %}
  {%- if not execute -%}{{ return(true) }}{%- endif -%}
  {{ return(run_query("select 1 from glob('" ~ var('export') ~ "/" ~ topic ~ "/**/*.parquet') limit 1").rows | length > 0) }}
{% endmacro %}
