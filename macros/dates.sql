{#
  Dates and times as platforms write them. ISO (the year first) is always read. Every other form is read where it is the
  form of its column (stg_column_forms), since a value alone may read in several: 01/02/2017.
#}

{# The forms that a column may be in. The sign between days and months in numbers may also be . or -. #}
{% macro date_forms() %}
  {{ return(['YYYY-MM-DD', 'YYYYMMDD', 'DD/MM/YYYY', 'DD.MM.YYYY', 'DD-MM-YYYY', 'MM/DD/YYYY', 'MM.DD.YYYY',
    'MM-DD-YYYY', 'DD Mon YYYY', 'epoch seconds', 'epoch milliseconds', 'epoch microseconds', 'epoch nanoseconds',
    'days since 1970-01-01', 'spreadsheet days']) }}
{% endmacro %}

{# The column of each input that holds dates. #}
{% macro date_columns() %}
  {{ return({'user_assessment_scores': 'user_assessment_date', 'user_course_views': 'view_date',
    'user_interests': 'date_followed'}) }}
{% endmacro %}

{#
  The form that a text without blanks around it is written in, whether it is a real date or not; null if it is none. Of a
  day and a month in numbers, only the sign between them shows: ##/##/YYYY. Numbers are told apart by their size: days
  since 1970 are of 1997 to 2039, days of spreadsheets (since 1899-12-30) of 1970 to 2199, and epochs of 1973 to 2199.
#}
{% macro written_date_form(text) -%}
  {%- set number = "try_cast(" ~ text ~ " as double)" -%}
  case
    when {{ text }} like '____-%' or regexp_matches({{ text }}, '^[0-9]{4}[/. ][0-9]{1,2}[/. ][0-9]') then 'YYYY-MM-DD'
    when regexp_matches({{ text }}, '^(19|20|21)[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])([T ].*|[0-9]{6})?$') then 'YYYYMMDD'
    when {{ number }} >= 10000 and {{ number }} < 25569 then 'days since 1970-01-01'
    when {{ number }} >= 25569 and {{ number }} < 109575 then 'spreadsheet days'
    when {{ number }} between 1e8 and 7258118399 then 'epoch seconds'
    when {{ number }} between 1e11 and 7258118399e3 then 'epoch milliseconds'
    when {{ number }} between 1e14 and 7258118399e6 then 'epoch microseconds'
    when {{ number }} between 1e17 and 7258118399e9 then 'epoch nanoseconds'
    when {{ number }} is not null then null
    when regexp_matches({{ text }}, '^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}') then '##/##/YYYY'
    when regexp_matches({{ text }}, '^[0-9]{1,2}[.] ?[0-9]{1,2}[.] ?[0-9]{4}') then '##.##.YYYY'
    when regexp_matches({{ text }}, '^[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}') then '##-##-YYYY'
    when regexp_matches({{ text }}, '{{ day_and_month_name() }}') or regexp_matches({{ text }}, '{{ month_name_and_day() }}')
      then 'DD Mon YYYY'
  end
{%- endmacro %}

{# Patterns of dates with the name of a month, behind a weekday or not. Their groups: '11 Aug 2017' and 'Aug 11, 2017'. #}
{% macro day_and_month_name() -%}
^(?:[[:alpha:]]+,? +)?([0-9]{1,2})(?:st|nd|rd|th)?[-. ]*([[:alpha:]]{3})[[:alpha:]]*[-., ]*([0-9]{4})
{%- endmacro %}

{% macro month_name_and_day() -%}
^(?:[[:alpha:]]+,? +)?([[:alpha:]]{3})[[:alpha:]]*[. ]+([0-9]{1,2})(?:st|nd|rd|th)?[, ]+([0-9]{4})
{%- endmacro %}

{# The first (1) or second (2) of the two numbers that a date begins with; null if it does not begin so. #}
{% macro number_in_date(text, position) -%}
  try_cast(regexp_extract({{ text }}, '^([0-9]{1,2})[./-] ?([0-9]{1,2})[./-]', {{ position }}) as integer)
{%- endmacro %}

{# The column of each input that holds tags. #}
{% macro tag_columns() %}
  {{ return({'course_tags': 'course_tags', 'user_assessment_scores': 'assessment_tag', 'user_interests': 'interest_tag'}) }}
{% endmacro %}

{# A date and perhaps a time that are written without signs between their parts, in ISO's form. #}
{% macro spaced_out(text) -%}
  regexp_replace(
    regexp_replace({{ text }}, '^([0-9]{4})([0-9]{2})([0-9]{2})[T ]?', '\1-\2-\3 '),
    ' ([0-9]{2})([0-9]{2})([0-9]{2})?', ' \1:\2:\3'
  )
{%- endmacro %}

{# A date with the name of its month in ISO's form, with the time that follows it; null if there is no such month. #}
{% macro iso_text_of_named_month(text) -%}
  {%- set months = "'jan feb mar apr may jun jul aug sep oct nov dec'" -%}
  case
    {%- for pattern, day, month in [(day_and_month_name(), 1, 2), (month_name_and_day(), 2, 1)] %}
    when regexp_matches({{ text }}, '{{ pattern }}')
      then regexp_extract({{ text }}, '{{ pattern }}', 3)
        || '-' || (nullif(position(lower(regexp_extract({{ text }}, '{{ pattern }}', {{ month }})) in {{ months }}), 0) + 3) // 4
        || '-' || regexp_extract({{ text }}, '{{ pattern }}', {{ day }}) || regexp_replace({{ text }}, '{{ pattern }}', '')
    {%- endfor %}
  end
{%- endmacro %}

{# The microseconds since 1970 as a text in ISO's form. #}
{% macro text_of_epoch(microseconds) -%}
  cast({{ timestamp_of_microseconds(microseconds) }} as varchar)
{%- endmacro %}

{# A time of day as an engine reads it: 19:03 Z, 7:03 p.m. and 19:03:38,5 +02:00[Europe/Berlin] become 19:03:00Z and so on. #}
{% macro plain_time_of_day(text) -%}
  {%- set steps = namespace(sql=text) -%}
  {%- for pattern, replacement in [
    (' *([aApP])[.]?[mM][.]?$', '\\1M'),
    ('([+-][0-9:]+) *(\\[.*\\]|\\(.*\\))$', '\\1'),
    (' *(?:GMT|UTC)?([+-][0-9])', '\\1'),
    (' *[zZ]$', 'Z'),
    ('^([0-9]+:[0-9]+:[0-9]+),', '\\1.'),
    ('^([0-9]+:[0-9]+)([^:0-9]|$)', '\\1:00\\2'),
  ] -%}
    {%- set steps.sql = "regexp_replace(" ~ steps.sql ~ ", '" ~ pattern ~ "', '" ~ replacement ~ "')" -%}
  {%- endfor -%}
  {{ steps.sql }}
{%- endmacro %}
