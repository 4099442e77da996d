{#
  Kindred's own materialisations of tables and views: one statement instead of create, rename, rename and drop, which
  dbt compiles one by one. On small data they halve the time of a model. They are as safe: DuckDB's DDL is transactional,
  so if a model fails or a build is killed, the old table stays as it was. They have names of their own: a project that
  has Kindred as a package keeps dbt's table and view.
#}
{% materialization kindred_table, adapter='duckdb', supported_languages=['sql', 'python'] %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set written = relation_to_write(target_relation) -%}
  {% call statement('main', language=model.language) %}
    {{- table_as(written) -}}
  {% endcall %}
  {{ return(finished_table(target_relation, written)) }}
{% endmaterialization %}


{#
  A table too, which is rebuilt as a whole by a model that may read its own old rows: is_incremental says whether they
  exist. dbt runs Python only in a materialisation itself, so the statement is repeated here.
#}
{% materialization kindred_incremental, adapter='duckdb', supported_languages=['sql', 'python'] %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set written = relation_to_write(target_relation) -%}
  {% call statement('main', language=model.language) %}
    {{- table_as(written) -}}
  {% endcall %}
  {{ return(finished_table(target_relation, written)) }}
{% endmaterialization %}


{# Whether a model may read its own rows of the build before. It replaces dbt's, which knows only dbt's incremental. #}
{% macro is_incremental() %}
  {%- if not execute or model.config.materialized != 'kindred_incremental' or should_full_refresh() -%}
    {{ return(false) }}
  {%- endif -%}
  {%- set existing = load_cached_relation(this) -%}
  {{ return(existing is not none and existing.type == 'table') }}
{% endmacro %}


{#
  Where to write a table: under its own name, or beside it for a Python model. That writes on a connection of its own,
  which would not see that this connection has dropped the old table.
#}
{% macro relation_to_write(relation) %}
  {{ run_hooks(pre_hooks) }}
  {% do drop_if_other_kind('table') %}
  {%- if model.language == 'sql' -%}
    {{ return(relation) }}
  {%- endif -%}
  {%- set beside = relation.incorporate(path={'identifier': relation.identifier ~ '__written'}) -%}
  {% do run_query('drop table if exists ' ~ beside) %}
  {{ return(beside) }}
{% endmacro %}


{# The code that writes a table: a statement, or a Python model with the code that writes its result. #}
{% macro table_as(relation) -%}
  {%- if model.language == 'python' -%}
    {{ py_write_table(temporary=false, relation=relation, compiled_code=compiled_code) }}
  {%- else -%}
    create or replace table {{ relation }} as
    {{ compiled_code }}
  {%- endif -%}
{%- endmacro %}


{# Give the written table its name and its comments. #}
{% macro finished_table(relation, written) %}
  {% if written != relation %}
    {% do run_query('drop table if exists ' ~ relation ~ '; alter table ' ~ written ~ ' rename to ' ~ relation.identifier) %}
  {% endif %}
  {{ run_hooks(post_hooks) }}
  {% do persist_docs(relation, model) %}
  {{ adapter.commit() }}
  {{ return({'relations': [relation]}) }}
{% endmacro %}


{% materialization kindred_view, adapter='duckdb' %}
  {%- set target_relation = this.incorporate(type='view') -%}
  {{ run_hooks(pre_hooks) }}
  {% do drop_if_other_kind('view') %}
  {% call statement('main') %}
    create or replace view {{ target_relation }} as
    {{ compiled_code }}
  {% endcall %}
  {{ run_hooks(post_hooks) }}
  {% do persist_docs(target_relation, model) %}
  {{ adapter.commit() }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{# A model that was a view and is now a table, or the reverse, cannot replace the old one. #}
{% macro drop_if_other_kind(kind) %}
  {%- set existing = load_cached_relation(this) -%}
  {%- if existing and existing.type != kind -%}
    {% do adapter.drop_relation(existing) %}
  {%- endif -%}
{% endmacro %}


{# Write the comments of a table and its columns in one statement, without reading dbt's catalogue for each table. #}
{% macro persist_docs(relation, model, for_relation=true, for_columns=true) %}
  {%- set present = run_query(
    "select column_name from duckdb_columns() where database_name = '" ~ relation.database
    ~ "' and schema_name = '" ~ relation.schema ~ "' and table_name = '" ~ relation.identifier ~ "'"
  ).columns[0].values() -%}
  {%- set comments -%}
    {%- if model.description %}
      comment on {{ relation.type }} {{ relation }} is {{ duckdb_escape_comment(model.description | trim) }};
    {%- endif %}
    {%- for name, column in model.columns.items() if column.description and name in present %}
      comment on column {{ relation }}.{{ name }} is {{ duckdb_escape_comment(column.description | trim) }};
    {%- endfor %}
  {%- endset -%}
  {%- if comments | trim -%}
    {% do run_query(comments) %}
  {%- endif -%}
{% endmacro %}
