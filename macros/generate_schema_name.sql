{# Schemas are named as the models say (raw, staging, intermediate, main), without dbt's prefix of the target. #}
{% macro generate_schema_name(custom_schema_name, node) %}
  {{ return(custom_schema_name or target.schema) }}
{% endmacro %}
