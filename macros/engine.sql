{# What differs between SQL engines stands here, so that the models need not know which one runs them. #}

{# Values of a group joined by ', ' in their own order. #}
{% macro join_text(expression, order_by=none) -%}
  string_agg({{ expression }}, ', ' order by {{ order_by or expression }})
{%- endmacro %}

{# Values of a part of the rows joined by ', ', up to each row in that order. Nulls are left out. #}
{% macro join_text_so_far(expression, partition_by, order_by) -%}
  string_agg({{ expression }}, ', ') over (partition by {{ partition_by }} order by {{ order_by }})
{%- endmacro %}

{# The value of the row with the greatest (at, tiebreak) in a group, or the greatest at alone; nulls do not compete. #}
{% macro latest(value, at, tiebreak=none) -%}
  max_by({{ value }}, {{ 'row(' ~ at ~ ', ' ~ tiebreak ~ ')' if tiebreak else at }})
{%- endmacro %}

{#
  A sum that does not depend on the order of its terms, as a sum of floating-point numbers over several threads does: the
  same data gives the same warehouse to the last bit. Terms count to the 15th decimal.
#}
{% macro exact_sum(expression) -%}
  cast(sum(cast({{ expression }} as decimal(38, 15))) as double)
{%- endmacro %}

{# A whole number that differs, but by a chance of one in 2^64, where the rows of a group differ; their order is all one. #}
{% macro fingerprint_of_rows(columns) -%}
  bit_xor(hash({{ columns | join(', ') }}))
{%- endmacro %}

{# Whether two texts differ by one letter left out or added, or by two neighbours swapped. #}
{% macro differ_by_a_slip(one, other) -%}
  (
    damerau_levenshtein({{ one }}, {{ other }}) = 1
    and (length({{ one }}) <> length({{ other }}) or levenshtein({{ one }}, {{ other }}) = 2)
  )
{%- endmacro %}

{# An expression that ends the query with a sentence, for a row that must not be. #}
{% macro fail(sentence) -%}
  error({{ sentence }})
{%- endmacro %}

{# One row per word of a text whose words are joined by hyphens. #}
{% macro each_word(phrase) -%}
  unnest(string_split({{ phrase }}, '-'))
{%- endmacro %}

{# A text as SQL has it, or a null. #}
{% macro text_literal(text) -%}
  {%- if text is none -%}
    cast(null as varchar)
  {%- else -%}
    '{{ text | replace("'", "''") }}'
  {%- endif -%}
{%- endmacro %}

{# One row per day from the first to the last; none where there is no first. #}
{% macro each_day(first_date, last_date) -%}
  cast(unnest(generate_series({{ first_date }}, {{ last_date }}, interval 1 day)) as date)
{%- endmacro %}
