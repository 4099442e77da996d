{#
  A text without blanks around it. Blanks are all that Unicode calls white space, and what shows nothing: zero-width
  characters, byte order marks, soft hyphens and marks of the direction of writing.
#}
{% macro without_blanks(column) -%}
  trim({{ column }}, e' \t\n\x0b\x0c\r\x1c\x1d\x1e\x1f{{ "\x85\xa0\xad\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\u3000\ufeff" }}')
{%- endmacro %}

{#
  Text without blanks around it and in Unicode's composed form (NFC), so that texts that look the same are the same; null
  if nothing is left.
#}
{% macro clean_text(column) -%}
  nullif({{ without_blanks(compose_text(column)) }}, '')
{%- endmacro %}

{# A number from text; null if the text is not a number, or is not finite. #}
{% macro clean_number(column) -%}
  case when isfinite(try_cast({{ without_blanks(column) }} as double)) then try_cast({{ without_blanks(column) }} as double) end
{%- endmacro %}

{#
  A time from text that begins with the year, month and day, and has no zone; null if it is another text, or a time before
  1900 or after 2199. All else is in stg_odd_dates.
#}
{% macro clean_timestamp(column) -%}
  {%- set text = without_blanks(column) -%}
  case
    when {{ text }} like '____-%' and left({{ text }}, 2) in ('19', '20', '21') and not {{ has_zone(text) }}
      then try_cast({{ text }} as timestamp)
  end
{%- endmacro %}

{# Whether a text in ISO's form has more than digits behind its date, such as an offset or the name of a time zone. #}
{% macro has_zone(text) -%}
  regexp_matches(substr({{ text }}, 12), '[^0-9:.]')
{%- endmacro %}

{#
  The tags in a text as a list without repeats: the items of a JSON array, the parts between the separator of the column
  (stg_column_forms; null for none), or the text itself; null if there are none.
#}
{% macro clean_tags(column, separator) -%}
  case
    when {{ column }} like '[%' and {{ is_json(column) }} then {{ each_cleaned(json_as_list(column)) }}
    when contains({{ column }}, {{ separator }}) then {{ each_cleaned("string_split(" ~ column ~ ", " ~ separator ~ ")") }}
    when {{ clean_text(column) }} is not null then [{{ clean_text(column) }}]
  end
{%- endmacro %}

{# The delivered values of a row as one text, so that a rejected row can be found in its file. #}
{% macro row_as_text(columns) -%}
  coalesce(read_error, {% for column in columns %}'{{ ', ' if not loop.first }}{{ column }}=' || coalesce({{ column }}, ''){{ ' || ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# Why a row that was not read cannot be used, from its read_error. #}
{% macro read_error_reason() -%}
  case split_part(read_error, ':', 1)
    when 'INVALID ENCODING' then 'text is not {{ var("encoding") | upper }}: see the var encoding'
    when 'CONTROL CHARACTER' then 'a value has a control character such as NUL'
    when 'REPEATED HEADER' then 'line repeats the header'
    else 'line cannot be split into columns'
  end
{%- endmacro %}

{# Why a row without a usable date cannot be used, from the form of the column. #}
{% macro date_reason(column) -%}
  '{{ column }} is not a date of the form ' || date_form || case when date_form like '% or %' then ': say which in the var date_forms' else '' end
{%- endmacro %}
