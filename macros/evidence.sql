{# A condition that is true for times inside the window of the vars evidence_from and evidence_to. #}
{% macro is_in_evidence_window(column) -%}
  {%- set conditions = [] -%}
  {%- if var('evidence_from') -%}
    {%- do conditions.append("cast(" ~ column ~ " as date) >= date '" ~ var('evidence_from') ~ "'") -%}
  {%- endif -%}
  {%- if var('evidence_to') -%}
    {%- do conditions.append("cast(" ~ column ~ " as date) <= date '" ~ var('evidence_to') ~ "'") -%}
  {%- endif -%}
  {{ conditions | join(' and ') or 'true' }}
{%- endmacro %}
