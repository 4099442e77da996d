{#
  How a seed gets into DuckDB. dbt allows one materialisation of seeds, and a project that has Kindred as a package must
  keep it. So these are steps of dbt's own under dbt's own names, which only Kindred's seeds take: DuckDB's CSV reader
  instead of row-by-row inserts, and a folder of the owner's files instead of seeds/ if KINDRED_DATA_DIR is set. For every
  kind of file the table is the same: every declared column as text, so that a value that does not parse never stops the
  load (staging rejects the row with a reason), and two columns that say where a row came from:
    line_number  the line in the file, header included (for Parquet: the row, counted as if there were a header)
    read_error   null, or why the line cannot be used as it is: its kind in capitals, and the line itself
#}

{# dbt's first step, which loads everything already, and returns a few rows for `dbt seed --show`. #}
{% macro load_agate_table() %}
  {%- set shown_rows = 10 -%}
  {%- set columns = model.columns.keys() | reject('in', ['line_number', 'read_error']) | list -%}
  {%- set file = input_file(model) -%}
  {%- set is_input = model.config.meta.get('is_input') -%}
  {%- set encoding = var('encoding') if is_input else 'utf-8' -%}
  {%- set missing_values = var('missing_values') if is_input else [] -%}
  {%- do check_latin1(file, encoding) -%}
  {%- do check_input_columns(model.name, file, columns, encoding) -%}
  {%- set target_relation = this.incorporate(type='table') -%}

  {% if file.endswith('.parquet') %}
    {% call statement('load') %}
      {{ read_parquet_as_text(target_relation, file, columns) }}
    {% endcall %}
  {% else %}
    {%- set is_mixed = has_mixed_line_ends(file, encoding) -%}
    {%- set read_file = with_even_line_ends(file, encoding, model.name) if is_mixed else file -%}
    {% call statement('load') %}
      {{ read_csv_as_text(target_relation, read_file, columns, 'utf-8' if is_mixed else encoding, missing_values) }}
    {% endcall %}
    {% do keep_unreadable_lines(target_relation, columns, file) %}
  {% endif %}
  {% do run_query(set_rows_aside(target_relation, columns)) %}
  {{ return(run_query('select * from ' ~ target_relation ~ ' limit ' ~ shown_rows)) }}
{% endmacro %}

{# dbt's next steps would make the table and insert the rows: nothing is left to do. #}
{% macro create_csv_table(model, agate_table) %}{{ return('') }}{% endmacro %}
{% macro reset_csv_table(model, full_refresh, old_relation, agate_table) %}{{ return('') }}{% endmacro %}
{% macro load_csv_rows(model, agate_table) %}{{ return('') }}{% endmacro %}
{% macro noop_statement(name, message, code, rows_affected) %}
  {%- do caller() -%}
  {{ store_raw_result(name, message='OK', code='OK', rows_affected=none) }}
{% endmacro %}
