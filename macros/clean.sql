{# Text without white space around it; null if nothing is left. #}
{% macro clean_text(column) -%}
  nullif(trim({{ column }}, e' \t\r\n'), '')
{%- endmacro %}

{# A whole number from text ('42' and '42.0', not '42.7'); null if the text is not one. #}
{% macro clean_integer(column) -%}
  try_cast(case when regexp_matches(trim({{ column }}), '^[+-]?[0-9]+([.]0*)?$') then split_part(trim({{ column }}), '.', 1) end as bigint)
{%- endmacro %}

{# A number from text; null if the text is not a number, or is not finite or absurdly large. #}
{% macro clean_number(column) -%}
  {%- set max_number = 1e15 -%}
  case when abs(try_cast(trim({{ column }}) as double)) < {{ max_number }} then try_cast(trim({{ column }}) as double) end
{%- endmacro %}

{# A time from text in ISO form; null if the text is not a time, or one before 1900 or after 2200. #}
{% macro clean_timestamp(column) -%}
  {%- set first_time, last_time = '1900-01-01', '2200-01-01' -%}
  case
    when try_cast(trim({{ column }}) as timestamp) between timestamp '{{ first_time }}' and timestamp '{{ last_time }}'
      then try_cast(trim({{ column }}) as timestamp)
  end
{%- endmacro %}

{# The delivered values of a row as one text, so that a rejected row can be found in its file. #}
{% macro row_as_text(columns) -%}
  coalesce(read_error, {% for column in columns %}'{{ ', ' if not loop.first }}{{ column }}=' || coalesce({{ column }}, ''){{ ' || ' if not loop.last }}{% endfor %})
{%- endmacro %}
