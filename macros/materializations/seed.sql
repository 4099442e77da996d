{#
  The project's own seed materialisation: it uses DuckDB's CSV reader instead of dbt's row-by-row inserts, and a folder of
  the owner's files instead of seeds/ if KINDRED_DATA_DIR is set. For every kind of file the table is the same: every
  declared column as text, so that a value that does not parse never stops the load (staging rejects the row with a
  reason), and two columns that say where a row came from:
    line_number  the line in the file, header included (for Parquet: the row, counted as if there were a header)
    read_error   null, or why the line cannot be used as it is: its kind in capitals, and the line itself
#}
{% materialization seed, adapter='duckdb' %}
  {%- set columns = model.columns.keys() | reject('in', ['line_number', 'read_error']) | list -%}
  {%- set file = input_file(model) -%}
  {%- set is_input = model.config.meta.get('is_input') -%}
  {%- set encoding = var('encoding') if is_input else 'utf-8' -%}
  {%- set missing_values = var('missing_values') if is_input else [] -%}
  {%- do check_input_columns(model.name, file, columns, encoding) -%}
  {%- set target_relation = this.incorporate(type='table') -%}

  {{ run_hooks(pre_hooks) }}
  {% do drop_if_other_kind('table') %}

  {% if file.endswith('.parquet') %}
    {% call statement('main') %}
      {{ read_parquet_as_text(target_relation, file, columns) }}
    {% endcall %}
  {% else %}
    {%- set is_mixed = has_mixed_line_ends(file, encoding) -%}
    {%- set read_file = with_even_line_ends(file, encoding, model.name) if is_mixed else file -%}
    {% call statement('main') %}
      {{ read_csv_as_text(target_relation, read_file, columns, 'utf-8' if is_mixed else encoding, missing_values) }}
    {% endcall %}
    {% do keep_unreadable_lines(target_relation, columns, file) %}
  {% endif %}
  {% do run_query(set_rows_aside(target_relation, columns)) %}

  {{ run_hooks(post_hooks) }}
  {% do persist_docs(target_relation, model) %}
  {{ adapter.commit() }}

  {# dbt fails after a seed that leaves no agate table; a few rows are enough for `dbt seed --show`. #}
  {%- set shown_rows = 10 -%}
  {%- set sample = run_query('select * from ' ~ target_relation ~ ' limit ' ~ shown_rows) -%}
  {{ store_result('agate_table', response='OK', agate_table=sample) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
