{#
  The project's own materialisations of tables and views: one statement instead of create, rename, rename and drop,
  each of which dbt compiles anew. On small data they halve the time of a model. They are as safe: DuckDB's DDL is
  transactional, so that a model that fails, or a build that is killed, leaves the old table as it was.
#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set written = relation_to_write(target_relation) -%}
  {% call statement('main', language=model.language) %}
    {{- table_as(written) -}}
  {% endcall %}
  {{ return(finished_table(target_relation, written)) }}
{% endmaterialization %}


{#
  A table as well, made anew as a whole, by a model that may read what it was: is_incremental says whether it is there.
  dbt runs Python for a materialisation itself only, so that the statement stands in both.
#}
{% materialization incremental, adapter='duckdb', supported_languages=['sql', 'python'] %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set written = relation_to_write(target_relation) -%}
  {% call statement('main', language=model.language) %}
    {{- table_as(written) -}}
  {% endcall %}
  {{ return(finished_table(target_relation, written)) }}
{% endmaterialization %}


{#
  Where to write a table: its own place, or beside it. A Python model writes on a connection of its own, which would not
  see that this one has dropped the old table.
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


{# What writes a table: a statement, or a Python model and what writes its result. #}
{% macro table_as(relation) -%}
  {%- if model.language == 'python' -%}
    {{ py_write_table(temporary=false, relation=relation, compiled_code=compiled_code) }}
  {%- else -%}
    create or replace table {{ relation }} as
    {{ compiled_code }}
  {%- endif -%}
{%- endmacro %}


{# Put the table that was written in its place, and describe it. #}
{% macro finished_table(relation, written) %}
  {% if written != relation %}
    {% do run_query('drop table if exists ' ~ relation ~ '; alter table ' ~ written ~ ' rename to ' ~ relation.identifier) %}
  {% endif %}
  {{ run_hooks(post_hooks) }}
  {% do persist_docs(relation, model) %}
  {{ adapter.commit() }}
  {{ return({'relations': [relation]}) }}
{% endmacro %}


{% materialization view, adapter='duckdb' %}
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


{# The comments of a table and its columns in one statement, without asking dbt's catalogue for each table. #}
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
