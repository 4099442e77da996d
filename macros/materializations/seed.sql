{#
  The project's own seed materialisation: DuckDB's CSV reader instead of dbt's row-by-row inserts, and a folder of
  the owner's files instead of seeds/ when KINDRED_DATA_DIR is set. Whatever the file, the table is the same: every
  declared column as text, so that a value that does not parse is a matter for staging (a rejected row with its
  reason) and never a failed load, plus two columns that say where a row came from:
    line_number  the line in the file, header included (for Parquet: the row, counted as if there were a header)
    read_error   null, or why the line could not be split into columns (the line itself is in the message)
#}
{% materialization seed, adapter='duckdb' %}
  {%- set columns = model.columns.keys() | reject('in', ['line_number', 'read_error']) | list -%}
  {%- set file = input_file(model) -%}
  {%- do check_input_columns(model.name, file, columns) -%}
  {%- set target_relation = this.incorporate(type='table') -%}

  {{ run_hooks(pre_hooks) }}
  {% do drop_if_other_kind('table') %}

  {% if file.endswith('.parquet') %}
    {% call statement('main') %}
      create or replace table {{ target_relation }} as
      select
        {% for column in columns %}cast({{ adapter.quote(column) }} as varchar) as {{ column }}, {% endfor %}
        file_row_number + 2 as line_number,
        cast(null as varchar) as read_error
      from read_parquet('{{ file | replace("'", "''") }}', file_row_number = true)
    {% endcall %}
  {% else %}
    {% call statement('main') %}
      {{ read_csv_as_text(target_relation, file, columns) }}
    {% endcall %}
    {% do keep_unreadable_lines(target_relation, columns, file) %}
  {% endif %}

  {{ run_hooks(post_hooks) }}
  {% do persist_docs(target_relation, model) %}
  {{ adapter.commit() }}

  {# dbt fails after a seed that leaves no agate table; a few rows are enough for `dbt seed --show`. #}
  {%- set shown_rows = 10 -%}
  {%- set sample = run_query('select * from ' ~ target_relation ~ ' limit ' ~ shown_rows) -%}
  {{ store_result('agate_table', response='OK', agate_table=sample) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
