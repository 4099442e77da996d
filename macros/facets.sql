{# The facets as the vars declare them (facets, changed by facet_overrides), with their number and share of the weight. #}
{% macro facets() %}
  {%- set overrides = var('facet_overrides') or {} -%}
  {%- set names = var('facets') | map(attribute='facet') | list -%}
  {%- set settings = ['weight', 'count_transform', 'idf_power', 'confidence_prior'] -%}
  {%- for name in overrides if name not in names -%}
    {{ stop("The var facet_overrides names the facet " ~ name ~ ", but the facets are " ~ names | join(', ') ~ ".") }}
  {%- endfor -%}
  {%- set merged = [] -%}
  {%- for declared in var('facets') -%}
    {%- set facet = dict(declared) -%}
    {%- for setting, value in (overrides.get(facet.facet) or {}).items() -%}
      {%- if setting not in settings -%}
        {{ stop("The var facet_overrides sets " ~ setting ~ " of " ~ facet.facet ~ ", but a facet has "
          ~ settings | join(', ') ~ ".") }}
      {%- endif -%}
      {%- do facet.update({setting: value}) -%}
    {%- endfor -%}
    {%- if facet.count_transform not in ['binary', 'sqrt', 'linear'] -%}
      {{ stop("The facet " ~ facet.facet ~ " has count_transform " ~ facet.count_transform
        ~ ", but it must be binary, sqrt or linear.") }}
    {%- endif -%}
    {%- if facet.weight < 0 or facet.confidence_prior < 0 -%}
      {{ stop("The facet " ~ facet.facet ~ " has a weight or confidence_prior below 0.") }}
    {%- endif -%}
    {%- do merged.append(facet) -%}
  {%- endfor -%}
  {%- set total = merged | sum(attribute='weight') -%}
  {%- if total <= 0 -%}
    {{ stop("The weights of the facets sum to 0: at least one facet needs a weight above 0.") }}
  {%- endif -%}
  {%- for facet in merged -%}
    {%- do facet.update({'facet_number': loop.index, 'weight_share': facet.weight / total}) -%}
  {%- endfor -%}
  {{ return(merged) }}
{% endmacro %}

{# The facets that describe a user before clustering: all but the cluster itself. #}
{% macro evidence_facets() %}
  {{ return(facets() | rejectattr('facet', 'equalto', 'cluster') | list) }}
{% endmacro %}
