{# Handles of users and authors: whole numbers where all of them are, text otherwise (see the model stg_handle_types). #}

{# The longest handle that counts, in characters. #}
{% macro max_handle_length() %}
  {{ return(200) }}
{% endmacro %}

{# A handle as delivered, without blanks and invisible characters around it. #}
{% macro without_blanks_around(column) -%}
  trim({{ column }}, e' \t\n\x0b\x0c\r\x1c\x1d\x1e\x1f{{ "\x85\xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff" }}')
{%- endmacro %}

{# A handle as text; null if it is blank or too long. #}
{% macro handle_as_text(column) -%}
  case when length({{ without_blanks_around(column) }}) between 1 and {{ max_handle_length() }} then {{ without_blanks_around(column) }} end
{%- endmacro %}

{#
  Whether a handle is a whole number that every program reads exactly (within 2^53 - 1), written plainly: 42 and -42, not
  +42 or 042. Zeros after a point count as nothing, since pandas writes whole numbers so where others are missing: 42.0.
#}
{% macro is_plain_number(handle) -%}
  {%- set largest = 9007199254740991 -%}
  regexp_full_match({{ handle }}, '(0|-?[1-9][0-9]{0,15})([.]0+)?')
  and try_cast(split_part({{ handle }}, '.', 1) as bigint) between -{{ largest }} and {{ largest }}
{%- endmacro %}

{# A handle in the type of all handles of its kind, which user_handle_type or author_handle_type gives; null as above. #}
{% macro clean_handle(column, type) -%}
  {%- if type == 'bigint' -%}
    cast(split_part({{ handle_as_text(column) }}, '.', 1) as bigint)
  {%- else -%}
    {{ handle_as_text(column) }}
  {%- endif -%}
{%- endmacro %}

{# Two values as one text that no other two values have: the length of the first tells where it ends. #}
{% macro key_of_two(one, other) -%}
  length(cast({{ one }} as varchar)) || ':' || {{ one }} || ':' || {{ other }}
{%- endmacro %}

{# Why a row has no usable handle, as a reason for its rejection. #}
{% macro reason_of_missing_handle(column) -%}
  case
    when length({{ column }}) > {{ max_handle_length() }} then '{{ column | replace("delivered_", "") }} is longer than {{ max_handle_length() }} characters'
    else '{{ column | replace("delivered_", "") }} is blank'
  end
{%- endmacro %}

{# The type of the handles of users in this build: bigint or varchar. #}
{% macro user_handle_type() %}
  {{ return(decided_handle_type('user_handle_type')) }}
{% endmacro %}

{# The type of the handles of authors in this build: bigint or varchar. #}
{% macro author_handle_type() %}
  {{ return(decided_handle_type('author_handle_type')) }}
{% endmacro %}

{# What stg_handle_types has decided, as a type; bigint before that is built, as when dbt only compiles. #}
{% macro decided_handle_type(column) %}
  {%- set handle_types = ref('stg_handle_types') -%}
  {%- if not execute or not load_cached_relation(handle_types) -%}
    {{ return('bigint') }}
  {%- endif -%}
  {%- set decided = run_query('select ' ~ column ~ ' from ' ~ handle_types).columns[0].values() -%}
  {{ return('varchar' if 'text' in decided else 'bigint') }}
{% endmacro %}
