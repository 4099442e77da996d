{# The SQL that differs between engines, so that the models do not depend on one. #}

{# The values of a group as one text to read, joined by ', ' in their own order or in another. #}
{% macro join_text(expression, order_by=none) -%}
  string_agg({{ expression }}, ', ' order by {{ order_by or expression }})
{%- endmacro %}

{# The values of a group as a list, in their own order or in another. #}
{% macro list_of(expression, order_by=none) -%}
  list({{ expression }} order by {{ order_by or expression }})
{%- endmacro %}

{# At each row, the list of the values of its part of the rows up to it that meet a condition; null if there is none. #}
{% macro list_so_far(expression, partition_by, order_by, condition='true') -%}
  list({{ expression }}) filter (where {{ condition }}) over (partition by {{ partition_by }} order by {{ order_by }})
{%- endmacro %}

{#
  A share or a similarity: 0 or 1 where rounding in its sums has put it just outside. What is farther outside is an error
  and stays, so that tests see it.
#}
{% macro within_0_and_1(expression) -%}
  {%- set rounding = 1e-9 -%}
  case
    when {{ expression }} > 1 and {{ expression }} <= 1 + {{ rounding }} then 1
    when {{ expression }} < 0 and {{ expression }} >= -{{ rounding }} then 0
    else {{ expression }}
  end
{%- endmacro %}

{# The value of the row with the greatest (at, tiebreak) in a group, or the greatest at alone; null values are skipped. #}
{% macro latest(value, at, tiebreak=none) -%}
  max_by({{ value }}, {{ 'row(' ~ at ~ ', ' ~ tiebreak ~ ')' if tiebreak else at }})
{%- endmacro %}

{#
  A sum that does not depend on the order of its terms, unlike a sum of floating-point numbers over several threads. The
  same data thus gives the same warehouse to the last bit. Terms count to the 15th decimal.
#}
{% macro exact_sum(expression) -%}
  cast(sum(cast({{ expression }} as decimal(38, 15))) as double)
{%- endmacro %}

{# A whole number that changes when the rows of a group change (except by a chance of 1 in 2^64), whatever their order. #}
{% macro fingerprint_of_rows(columns) -%}
  bit_xor(hash({{ columns | join(', ') }}))
{%- endmacro %}

{#
  A whole number from 0 to 2^60 - 1 that is the same for the same text in every build and on every engine: the first 15
  hexadecimal digits of its MD5 sum. kindred.matrices.tie_key returns the same number.
#}
{% macro stable_hash(expression) -%}
  cast('0x' || left(md5(cast({{ expression }} as varchar)), 15) as bigint)
{%- endmacro %}

{# Whether two texts differ by one letter that is missing or added, or by two neighbouring letters that are swapped. #}
{% macro differ_by_a_slip(one, other) -%}
  (
    damerau_levenshtein({{ one }}, {{ other }}) = 1
    and (length({{ one }}) <> length({{ other }}) or levenshtein({{ one }}, {{ other }}) = 2)
  )
{%- endmacro %}

{# An expression that ends the query with an error message, for a row that must not exist. #}
{% macro fail(sentence) -%}
  error({{ sentence }})
{%- endmacro %}

{# One row per word of a text whose words are joined by hyphens. #}
{% macro each_word(phrase) -%}
  unnest(string_split({{ phrase }}, '-'))
{%- endmacro %}

{# One row per letter of a text: its place, from 1. #}
{% macro each_place(expression) -%}
  unnest(range(1, length({{ expression }}) + 1))
{%- endmacro %}

{# A text without the letter at a place. #}
{% macro without_letter(expression, place) -%}
  left({{ expression }}, {{ place }} - 1) || substr({{ expression }}, {{ place }} + 1)
{%- endmacro %}

{# A text as an SQL literal, or a null. #}
{% macro text_literal(text) -%}
  {%- if text is none -%}
    cast(null as varchar)
  {%- else -%}
    '{{ text | replace("'", "''") }}'
  {%- endif -%}
{%- endmacro %}

{# One row per day from the first to the last; none if there is no first day. #}
{% macro each_day(first_date, last_date) -%}
  cast(unnest(generate_series({{ first_date }}, {{ last_date }}, interval 1 day)) as date)
{%- endmacro %}

{#
  A path as an SQL literal for DuckDB's readers, in which the path's own [, * and ? do not make a pattern; a pattern may
  follow it. In a pattern, a backslash would separate folders, so it is any character there.
#}
{% macro path_literal(path, pattern='') -%}
  {%- if pattern or modules.re.search('[\\[*?]', path) -%}
    {{ text_literal(modules.re.sub('([\\[*?])', '[\\1]', path) | replace('\\', '?') ~ pattern) }}
  {%- else -%}
    {{ text_literal(path) }}
  {%- endif -%}
{%- endmacro %}

{# A text in Unicode's composed form (NFC). #}
{% macro compose_text(text) -%}
  nfc_normalize({{ text }})
{%- endmacro %}

{# Whether a text is a JSON document. #}
{% macro is_json(text) -%}
  json_valid({{ text }})
{%- endmacro %}

{# The items of a JSON array as a list of texts. #}
{% macro json_as_list(text) -%}
  from_json({{ text }}, '["varchar"]')
{%- endmacro %}

{# One row per item of a list. #}
{% macro each_item(list) -%}
  unnest({{ list }})
{%- endmacro %}

{# Texts as the literal of a list. #}
{% macro list_literal(texts) -%}
  cast([{% for text in texts %}{{ text_literal(text) }}{{ ', ' if not loop.last }}{% endfor %}] as varchar[])
{%- endmacro %}

{# A time in UTC from a text in ISO's form with an offset or the name of a time zone; null if it is none. #}
{% macro utc_timestamp(text) -%}
  try_cast({{ text }} as timestamptz) at time zone 'UTC'
{%- endmacro %}

{# A time from the microseconds since 1970. #}
{% macro timestamp_of_microseconds(microseconds) -%}
  make_timestamp(cast(round({{ microseconds }}) as bigint))
{%- endmacro %}

{# A time from a day in ISO's form and a time of day that ends with AM or PM; null if it is none. #}
{% macro twelve_hour_timestamp(day_text, time_text) -%}
  try_strptime({{ day_text }} || ' ' || {{ time_text }}, '%Y-%m-%d %I:%M:%S%p')
{%- endmacro %}

{# The texts of a list, cleaned and without repeats; null if none is left. #}
{% macro each_cleaned(texts) -%}
  nullif(list_distinct(list_transform({{ texts }}, lambda text : {{ clean_text('text') }})), [])
{%- endmacro %}

{# The number of items of a list. #}
{% macro list_length(list) -%}
  len({{ list }})
{%- endmacro %}

{#
  A query for the columns of a relation: column_name, data_type and the relation's full name, which a database, a schema
  and a table or the last of them give. Of two parts, the first may be a schema or an attached database.
#}
{% macro columns_of_relation(parts) -%}
  {%- set names = parts | map('lower') | map('replace', "'", "''") | list -%}
  select
      column_name,
      data_type,
      format('"{}"."{}"."{}"', database_name, schema_name, table_name) as relation
  from duckdb_columns()
  where
      lower(table_name) = '{{ names[-1] }}'
      {%- if names | length == 3 %}
      and lower(database_name) = '{{ names[0] }}'
      and lower(schema_name) = '{{ names[1] }}'
      {%- elif names | length == 2 %}
      and (
          (database_name = current_database() and lower(schema_name) = '{{ names[0] }}')
          or (lower(database_name) = '{{ names[0] }}' and schema_name = 'main')
      )
      {%- else %}
      and database_name = current_database()
      and schema_name = current_schema()
      {%- endif %}
  order by relation, column_index
{%- endmacro %}
