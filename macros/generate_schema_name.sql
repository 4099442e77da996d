{#
  Schemas are named as the models say (raw, staging, intermediate, main), without dbt's prefix of the target. In a project
  that has Kindred as a package they are kindred, kindred_raw and so on, and the project's own rule, or dbt's, has the
  last word. Then no table of Kindred's takes the place of one of theirs.
#}
{% macro generate_schema_name(custom_schema_name, node) %}
  {%- if not is_package() -%}
    {{ return(custom_schema_name or target.schema) }}
  {%- endif -%}
  {%- set rule = context.get(project_name, {}).get('generate_schema_name') or dbt.generate_schema_name -%}
  {{ return(rule('kindred_' ~ custom_schema_name if custom_schema_name else 'kindred', node)) }}
{% endmacro %}

{# Whether another project has Kindred as a package. #}
{% macro is_package() %}
  {{ return(project_name != 'kindred') }}
{% endmacro %}
