{# The SQL that differs between engines, so that the models do not depend on one. #}

{# The values of a group, joined by ', ' in their own order or in another. #}
{% macro join_text(expression, order_by=none) -%}
  string_agg({{ expression }}, ', ' order by {{ order_by or expression }})
{%- endmacro %}

{# At each row, the values of its part of the rows up to it, joined by ', '. Nulls are left out. #}
{% macro join_text_so_far(expression, partition_by, order_by) -%}
  string_agg({{ expression }}, ', ') over (partition by {{ partition_by }} order by {{ order_by }})
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
