{# What differs between SQL engines stands here, so that the models need not know which one runs them. #}

{# Values of a group joined by ', ' in their own order. #}
{% macro join_text(expression, order_by=none) -%}
  string_agg({{ expression }}, ', ' order by {{ order_by or expression }})
{%- endmacro %}

{# The value of the row with the greatest (at, tiebreak) in a group; nulls do not compete. #}
{% macro latest(value, at, tiebreak) -%}
  max_by({{ value }}, row({{ at }}, {{ tiebreak }}))
{%- endmacro %}
