{# The names of the four inputs. #}
{% macro input_names() %}
  {{ return(['course_tags', 'user_assessment_scores', 'user_course_views', 'user_interests']) }}
{% endmacro %}


{# The file of a seed: itself or, for the four inputs (meta: is_input), the file of that name in KINDRED_DATA_DIR. #}
{% macro input_file(model) %}
  {%- set folder = env_var('KINDRED_DATA_DIR', '') -%}
  {%- if folder == '' or not model.config.meta.get('is_input') -%}
    {{ return(model.root_path ~ '/' ~ model.original_file_path) }}
  {%- endif -%}
  {%- set pattern = folder.rstrip('/') ~ '/*' -%}
  {%- set files = run_query("select file from glob('" ~ pattern | replace("'", "''") ~ "')").columns[0].values() -%}
  {%- set wanted = [model.name ~ '.csv', model.name ~ '.csv.gz', model.name ~ '.parquet'] -%}
  {%- set found = [] -%}
  {%- for file in files if file.replace('\\', '/').split('/')[-1] in wanted -%}
    {%- do found.append(file) -%}
  {%- endfor -%}
  {%- if files | length == 0 -%}
    {{ stop("KINDRED_DATA_DIR is " ~ folder ~ ", which is not a folder, is empty or cannot be read; a folder with "
      ~ wanted | join(' or ') ~ " was expected.") }}
  {%- elif found | length == 0 -%}
    {{ stop("No file for " ~ model.name ~ " in " ~ folder ~ " (KINDRED_DATA_DIR): one of " ~ wanted | join(', ')
      ~ " was expected.") }}
  {%- elif found | length > 1 -%}
    {{ stop("More than one file for " ~ model.name ~ " in " ~ folder ~ " (KINDRED_DATA_DIR): keep one of "
      ~ found | join(', ') ~ ".") }}
  {%- endif -%}
  {{ return(found[0]) }}
{% endmacro %}


{# Stop unless the file has every declared column, in any order; other columns are not read. #}
{% macro check_input_columns(name, file, columns) %}
  {%- set present = input_columns(file) -%}
  {%- set missing = columns | reject('in', present) | list -%}
  {%- if missing -%}
    {{ stop("Column " ~ missing | join(' and column ') ~ " is missing from " ~ file ~ ": the columns of " ~ name
      ~ " must be " ~ columns | join(', ') ~ ", but the file has " ~ (present | select | join(', ') or 'none') ~ ".") }}
  {%- endif -%}
{% endmacro %}


{# The file's column names in lower case and in their order, read from its header alone; '' for a column without a name. #}
{% macro input_columns(file) %}
  {%- set path = file | replace("'", "''") -%}
  {%- if file.endswith('.parquet') -%}
    {%- set names = "select lower(column_name) from (describe select * from read_parquet('" ~ path ~ "'))" -%}
  {%- else -%}
    {#
      Read one text column with a delimiter that does not occur: this gives the header even if later lines are broken. A
      name in quotes may contain a comma.
    #}
    {%- set names -%}
      with header as (
        select trim(line, e'\r') as line
        from read_csv(
          '{{ path }}', columns = {'line': 'varchar'}, delim = '\x1f', header = false, auto_detect = false,
          quote = '', escape = '', strict_mode = false, ignore_errors = true
        )
        limit 1
      )
      select lower(trim(unnest(regexp_extract_all(',' || line, ',("(?:[^"]|"")*"|[^,]*)', 1)), ' "'))
      from header
    {%- endset -%}
  {%- endif -%}
  {{ return(run_query(names).columns[0].values() | list) }}
{% endmacro %}


{# The dialect is stated, not detected: one odd line could make detection fail and lose the whole file. #}
{% macro read_csv_as_text(relation, file, columns) %}
  {%- set names = input_columns(file) -%}
  drop table if exists unreadable_lines;
  drop table if exists unreadable_scans;
  create or replace table {{ relation }} as
  select
    {{ columns | join(', ') }},
    row_number() over () + 1 as line_number,
    cast(null as varchar) as read_error
  from read_csv(
    '{{ file | replace("'", "''") }}',
    header = true, auto_detect = false, delim = ',', quote = '"', escape = '"',
    columns = {
      {%- for name in names %}
      {#- Columns that are not declared only hold their position. If two columns have one name, the first counts. #}
      {%- set is_read = name in columns and name not in names[:loop.index0] %}
      '{{ name if is_read else 'not_read_' ~ loop.index }}': 'varchar'{{ ',' if not loop.last }}
      {%- endfor %}
    },
    store_rejects = true, rejects_table = 'unreadable_lines', rejects_scan = 'unreadable_scans', rejects_limit = 0
  )
{% endmacro %}


{#
  Add the lines that DuckDB could not split to the table, with their number and message; the lines after them move down. A
  quote that is not closed may have swallowed further lines, and each of them is listed. DuckDB keeps only the first
  10,000 characters of an unreadable record, so a longer one would hide lines for good.
#}
{% macro keep_unreadable_lines(relation, columns, file) %}
  {%- set kept_characters = 10000 -%}
  {%- set endless = run_query("select min(line) from unreadable_lines where length(csv_line) >= " ~ kept_characters).columns[0].values()[0] -%}
  {%- if endless -%}
    {{ stop("Line " ~ endless ~ " of " ~ file ~ " cannot be split into columns and does not end within " ~ '{:,}'.format(kept_characters) ~ " characters, "
      ~ "as when a quote is opened and not closed: close the quote, or double it where it is part of the value.") }}
  {%- endif -%}
  {%- set unreadable = run_query("select count(*) from unreadable_lines").columns[0].values()[0] -%}
  {%- if unreadable > 0 -%}
    {% call statement('keep_unreadable_lines') %}
      create temporary table unreadable as
      with records as (
        select
          cast(line as bigint) as line_number,
          min(error_type) as error_type,
          string_split(min(trim(csv_line, e'\r\n')), e'\n') as lines
        from unreadable_lines
        group by line
      ),
      -- DuckDB numbers records: each line that an earlier record has swallowed moves a record one line down.
      placed as (
        select
          line_number + cast(coalesce(sum(len(lines) - 1) over (
            order by line_number rows between unbounded preceding and 1 preceding
          ), 0) as bigint) as line_number,
          error_type,
          lines
        from records
      ),
      physical_lines as (
        select
          line_number + unnest(range(len(lines))) as line_number,
          error_type || ': ' || trim(unnest(lines), e'\r') as read_error
        from placed
      )
      select
        line_number,
        read_error,
        row_number() over (order by line_number) as unreadable_so_far,
        line_number - row_number() over (order by line_number) as readable_so_far
      from physical_lines;

      create or replace table {{ relation }} as
      select
        {% for column in columns %}readable.{{ column }}, {% endfor %}
        readable.line_number + coalesce(unreadable_before.unreadable_so_far, 0) as line_number,
        readable.read_error
      from {{ relation }} as readable
      asof left join (
        select readable_so_far, max(unreadable_so_far) as unreadable_so_far from unreadable group by readable_so_far
      ) as unreadable_before on readable.line_number > unreadable_before.readable_so_far
      union all
      select
        {% for column in columns %}null, {% endfor %}
        line_number,
        read_error
      from unreadable
      order by line_number;

      drop table unreadable;
    {% endcall %}
  {%- endif -%}
{% endmacro %}
