{#
  The table has one row per combination of the grain's columns, none of which is ever null, and every condition is true
  for every row. One test for all that, so that a table costs one query; what it returns says what is broken.
#}
{% test grain_and_range(model, grain, conditions=[]) %}
select
    'grain: ' || {% for column in grain %}coalesce(cast({{ column }} as varchar), 'null'){{ " || ', ' || " if not loop.last }}{% endfor %} as broken,
    count(*) as rows_found
from {{ model }}
group by {{ grain | join(', ') }}
having
    count(*) > 1
    {%- for column in grain %}
    or {{ column }} is null
    {%- endfor %}
{% for condition in conditions %}
union all

select
    '{{ condition | replace("'", "''") }}' as broken,
    count(*) as rows_found
from {{ model }}
where not coalesce({{ condition }}, false)
having count(*) > 0
{% endfor %}
{% endtest %}
