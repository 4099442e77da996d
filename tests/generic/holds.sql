{# Every condition is true for every row; a row that breaks one is returned with the condition. #}
{% test holds(model, conditions) %}
{% for condition in conditions -%}
select
    '{{ condition | replace("'", "''") }}' as broken_condition,
    *
from {{ model }}
where not coalesce({{ condition }}, false)
{% if not loop.last %}union all{% endif %}
{% endfor %}
{% endtest %}
