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
  {%- set wanted = [model.name ~ '.csv', model.name ~ '.csv.gz', model.name ~ '.parquet'] -%}
  {%- set found = [] -%}
  {%- for name in wanted -%}
    {%- do found.extend(files_at(folder.rstrip('/') ~ '/' ~ name)) -%}
  {%- endfor -%}
  {%- if found | length == 0 and run_query("select 1 from glob(" ~ path_literal(folder.rstrip('/') ~ '/', '*') ~ ") limit 1").rows | length == 0 -%}
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


{# The file at a path as a list: itself, or nothing. #}
{% macro files_at(path) %}
  {{ return(run_query("select file from glob(" ~ path_literal(path) ~ ")").columns[0].values() | list) }}
{% endmacro %}


{# Stop unless the file has every declared column, in any order; other columns are not read. #}
{% macro check_input_columns(name, file, columns, encoding) %}
  {%- set present = input_columns(file, encoding) -%}
  {%- set missing = columns | reject('in', present) | list -%}
  {%- if missing -%}
    {%- if not file.endswith('.parquet') -%}
      {%- do check_encoding(file, encoding) -%}
    {%- endif -%}
    {%- set sign = namespace(said='') -%}
    {%- for separator, said in [(';', 'semicolons'), ('\t', 'tabs'), ('|', 'vertical bars')] if present | join('') | lower == columns | join(separator) or columns | join(separator) in present -%}
      {%- set sign.said = ". Its columns are separated by " ~ said ~ ", but commas were expected" -%}
    {%- endfor -%}
    {{ stop("Column " ~ missing | join(' and column ') ~ " is missing from " ~ file ~ ": the columns of " ~ name
      ~ " must be " ~ columns | join(', ') ~ ", but the file has " ~ (present | select | join(', ') or 'none') ~ sign.said ~ ".") }}
  {%- endif -%}
{% endmacro %}


{# Stop if the first line of a CSV cannot be read in this encoding, and say in which it is. #}
{% macro check_encoding(file, encoding) %}
  {%- do run_query("drop table if exists unreadable_headers; drop table if exists unreadable_header_scans") -%}
  {%- set first = run_query("select first(line) from " ~ read_lines(file, encoding,
    ", store_rejects = true, rejects_table = 'unreadable_headers', rejects_scan = 'unreadable_header_scans'")).columns[0].values()[0] or '' -%}
  {%- set unreadable = run_query("select any_value(csv_line) from unreadable_headers where line = 1").columns[0].values()[0] or '' -%}
  {%- if '\x00\x00\x00' in first ~ unreadable -%}
    {{ stop(file ~ " is UTF-32, not " ~ encoding | upper ~ ": save it as UTF-8.") }}
  {%- elif '\x00' in first ~ unreadable -%}
    {#- The NUL comes first in each pair of bytes; a byte order mark is ?? in UTF-8, and þÿ in Latin-1. -#}
    {%- set is_big_endian = (unreadable or first).lstrip('?þÿ').startswith('\x00') -%}
    {{ stop(file ~ " is UTF-16, not " ~ encoding | upper ~ ": " ~ ("its bytes are in the other order (big-endian), so " if is_big_endian else "set the var encoding to utf-16, or ") ~ "save the file as UTF-8.") }}
  {%- elif first.startswith('\ufffe') -%}
    {{ stop(file ~ " is UTF-16 with its bytes in the other order (big-endian): save it as UTF-8.") }}
  {%- elif encoding == 'utf-16' -%}
    {{ stop(file ~ " is not UTF-16: the var encoding must be the encoding of the files.") }}
  {%- elif unreadable -%}
    {{ stop("The header of " ~ file ~ " is not UTF-8: if the file is Latin-1, set the var encoding to latin-1; else save it as UTF-8.") }}
  {%- endif -%}
{% endmacro %}


{#
  Stop if a CSV that is to be Latin-1 has characters of Windows-1252 such as curly quotes, at which DuckDB stops without
  the name of the file. A packed file cannot be looked into.
#}
{% macro check_latin1(file, encoding) %}
  {%- if encoding == 'latin-1' and file.endswith('.csv') -%}
    {%- set has_others = "select count(*) from read_blob(" ~ path_literal(file) ~ ") where regexp_matches(cast(content as varchar), '\\\\x[89][0-9A-F]')" -%}
    {%- if run_query(has_others).columns[0].values()[0] > 0 -%}
      {{ stop(file ~ " is not Latin-1: it has characters such as curly quotes, which Windows-1252 has. Save it as UTF-8.") }}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}


{#
  The file's column names in lower case and in their order, read from its header alone; '' for a column without a name.
#}
{% macro input_columns(file, encoding) %}
  {%- if file.endswith('.parquet') -%}
    {{ return(parquet_types(file).keys() | list) }}
  {%- endif -%}
  {#- A name in quotes may contain a comma. -#}
  {%- set names -%}
    with header as (
      select line from {{ read_lines(file, encoding) }} limit 1
    )
    select lower({{ without_blanks("trim(unnest(regexp_extract_all(',' || " ~ without_blanks('line') ~ ", ',(\"(?:[^\"]|\"\")*\"|[^,]*)', 1)), ' \"')") }})
    from header
  {%- endset -%}
  {{ return(run_query(names).columns[0].values() | list) }}
{% endmacro %}


{# The lines of a CSV as one text column, whatever is in them; those that are not in the encoding are left out. #}
{% macro read_lines(file, encoding, options='') -%}
  read_csv(
    {{ path_literal(file) }}, columns = {'line': 'varchar'}, delim = '{{ '\x1f\x1e\x1d' }}', header = false, auto_detect = false,
    quote = '', escape = '', strict_mode = false, ignore_errors = true, encoding = '{{ encoding }}', hive_partitioning = false{{ options }}
  )
{%- endmacro %}


{#
  Whether the lines of a CSV end in more than one way (LF, CRLF, CR), which DuckDB's reader refuses, or some are empty,
  which it counts or not. It is asked twice: if LF and CR both end a line, a CRLF leaves an empty one; if CRLF does, a CR
  that stands alone costs a character.
#}
{% macro has_mixed_line_ends(file, encoding) %}
  {%- set counted -%}
    select ends.empty_lines not in (0, ends.lines) or ends.characters <> pairs.characters
    from (
      select count(line) as lines, count(*) - count(line) as empty_lines, coalesce(sum(strlen(line)), 0) as characters
      from {{ read_lines(file, encoding, ", new_line = '\\n'") }}
    ) as ends
    cross join (
      select coalesce(sum(strlen(line)), 0) as characters from {{ read_lines(file, encoding, ", new_line = '\\r\\n'") }}
    ) as pairs
  {%- endset -%}
  {{ return(run_query(counted).columns[0].values()[0]) }}
{% endmacro %}


{#
  A copy of a CSV beside the database of the build, in which every line ends with LF and none is empty but within quotes. A
  line that is not in the encoding becomes one that cannot be split into columns and says so, so that it keeps its place.
#}
{% macro with_even_line_ends(file, encoding, name) %}
  {%- set database = run_query("select path from duckdb_databases() where database_name = current_database()").columns[0].values()[0] or name -%}
  {%- set copy = database ~ '.' ~ name ~ '.csv' -%}
  {%- set statements -%}
    drop table if exists unreadable_lines;
    drop table if exists unreadable_scans;
    create or replace temporary table even_lines as
    select coalesce(line, '') as line, cast(row_number() over () as double) as place
    from {{ read_lines(file, encoding, ", new_line = '\\n', store_rejects = true, rejects_table = 'unreadable_lines', rejects_scan = 'unreadable_scans', rejects_limit = 0") }};
    insert into even_lines
    select
      {{ "'" ~ not_decoded() ~ "'" }} || translate(trim(csv_line, e'\r\n'), ',"', ';'''),
      cast(line as double) - row_number() over (order by line) + 0.5
    from unreadable_lines;
    copy (
      select line from even_lines
      qualify line <> '' or sum(length(line) - length(replace(line, '"', ''))) over (order by place) % 2 = 1
      order by place
    )
    to '{{ copy | replace("'", "''") }}' (format csv, header false, quote '', escape '', delimiter '{{ '\x1f' }}');
    drop table even_lines;
  {%- endset -%}
  {%- do run_query(statements) -%}
  {{ return(copy) }}
{% endmacro %}


{# How a line begins whose bytes are no text in the encoding of its file. #}
{% macro not_decoded() -%}
INVALID ENCODING: {% endmacro %}


{# The dialect is stated, not detected: one odd line could make detection fail and lose the whole file. #}
{% macro read_csv_as_text(relation, file, columns, encoding, missing_values) %}
  {%- set names = input_columns(file, encoding) -%}
  {%- set missing = ["''"] -%}
  {%- for value in missing_values -%}
    {%- do missing.extend([text_literal(value), text_literal(' ' ~ value), text_literal(value ~ ' ')]) -%}
  {%- endfor -%}
  drop table if exists unreadable_lines;
  drop table if exists unreadable_scans;
  create or replace table {{ relation }} as
  select
    {{ columns | join(', ') }},
    row_number() over () + 1 as line_number,
    cast(null as varchar) as read_error
  from read_csv(
    {{ path_literal(file) }},
    header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', encoding = '{{ encoding }}',
    nullstr = [{{ missing | join(', ') }}], allow_quoted_nulls = false,
    hive_partitioning = false,
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
  10,000 characters of an unreadable record, so a longer one with an open quote would hide lines for good.
#}
{% macro keep_unreadable_lines(relation, columns, file) %}
  {%- set kept_characters = 10000 -%}
  {%- set endless = run_query("select min(line) from unreadable_lines where length(csv_line) >= " ~ kept_characters
    ~ " and (length(csv_line) - length(replace(csv_line, '\"', ''))) % 2 = 1").columns[0].values()[0] -%}
  {%- if endless -%}
    {{ stop("Line " ~ endless ~ " of " ~ file ~ " cannot be split into columns and does not end within " ~ '{:,}'.format(kept_characters) ~ " characters, "
      ~ "as when a quote is opened and not closed: close the quote, or double it where it is part of the value.") }}
  {%- endif -%}
  {%- set unreadable = run_query("select count(*) from unreadable_lines").columns[0].values()[0] -%}
  {%- if unreadable > 0 -%}
    {%- do check_separator(relation, columns, file) -%}
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
          error_type,
          trim(unnest(lines), e'\r') as line
        from placed
      )
      select
        line_number,
        case when starts_with(line, '{{ not_decoded() }}') then line else error_type || ': ' || line end as read_error,
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


{# Stop if no line could be split at commas, and every line could be at another sign: the header alone has commas. #}
{% macro check_separator(relation, columns, file) %}
  {%- set separators = {';': 'semicolons', '\t': 'tabs', '|': 'vertical bars'} -%}
  {%- for separator, said in separators.items() -%}
    {%- set is_separator -%}
      select
        (select count(*) from {{ relation }}) = 0
        and bool_and(length(csv_line) - length(replace(csv_line, '{{ separator }}', '')) >= {{ columns | length - 1 }})
      from unreadable_lines
    {%- endset -%}
    {%- if run_query(is_separator).columns[0].values()[0] -%}
      {{ stop("The rows of " ~ file ~ " are separated by " ~ said ~ ", but its header by commas: both must be commas.") }}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}


{# The types of the columns of a Parquet file, by their names in lower case. #}
{% macro parquet_types(file) %}
  {%- set types = {} -%}
  {%- for row in run_query("select column_name, column_type from (describe select * from read_parquet(" ~ path_literal(file) ~ ", hive_partitioning = false))").rows -%}
    {%- do types.update({row[0] | lower: row[1]}) -%}
  {%- endfor -%}
  {{ return(types) }}
{% endmacro %}


{# The table of a Parquet file: every declared column as text. #}
{% macro read_parquet_as_text(relation, file, columns) %}
  {%- set types = parquet_types(file) -%}
  create or replace table {{ relation }} as
  select
    {% for column in columns %}{{ as_text(adapter.quote(column), types[column]) }} as {{ column }}, {% endfor %}
    file_row_number + 2 as line_number,
    {{ text_error(columns, types) }} as read_error
  from read_parquet({{ path_literal(file) }}, file_row_number = true, hive_partitioning = false)
{% endmacro %}


{#
  A column of a relation as the text that staging reads, by its type: times with a zone in UTC, bytes as the UTF-8 text
  that they are, lists as JSON, and NaN as nothing.
#}
{% macro as_text(column, type) -%}
  {%- if type == 'TIMESTAMP WITH TIME ZONE' -%}
    cast({{ column }} at time zone 'UTC' as varchar)
  {%- elif type == 'BLOB' -%}
    try(decode({{ column }}))
  {%- elif type.endswith(']') -%}
    cast(to_json({{ column }}) as varchar)
  {%- elif type in ('FLOAT', 'DOUBLE') -%}
    cast(case when not isnan({{ column }}) then {{ column }} end as varchar)
  {%- else -%}
    cast({{ column }} as varchar)
  {%- endif -%}
{%- endmacro %}


{# Why a row of a relation cannot be read as text; null if it can. Types are by column. #}
{% macro text_error(columns, types) -%}
  case
    {%- for column in columns if types[column] == 'BLOB' %}
    when {{ adapter.quote(column) }} is not null and try(decode({{ adapter.quote(column) }})) is null
      then '{{ not_decoded() }}{{ column }}=' || cast({{ adapter.quote(column) }} as varchar)
    {%- endfor %}
    when false then ''
  end
{%- endmacro %}


{#
  Set the rows aside that were split but are no data: a header that is repeated within the file, as when two exports are
  joined, and rows with control characters, which no store takes. Their values move into read_error, without the
  characters.
#}
{% macro set_rows_aside(relation, columns) %}
  {%- set control_characters = '[\\x00-\\x08\\x0e-\\x1f\\x7f]' -%}
  {%- set is_header -%}
    {%- for column in columns %}{{ ' and ' if not loop.first }}lower({{ without_blanks(column) }}) in ('{{ columns | join("', '") }}'){% endfor -%}
  {%- endset -%}
  {%- set has_control_character -%}
    regexp_matches(concat_ws(' ', {{ columns | join(', ') }}), '{{ control_characters }}')
  {%- endset -%}
  update {{ relation }} set
    {% for column in columns %}{{ column }} = null, {% endfor %}
    read_error = case when {{ is_header }} then 'REPEATED HEADER: ' else 'CONTROL CHARACTER: ' end
      || regexp_replace(concat_ws(',', {{ columns | join(', ') }}), '{{ control_characters }}', chr(65533), 'g')
  where read_error is null and (({{ is_header }}) or {{ has_control_character }})
{% endmacro %}
