{# The facets as the vars declare them (facets, changed by facet_overrides), with their number and share of the weight. #}
{% macro facets() %}
  {%- set overrides = var('facet_overrides') or {} -%}
  {%- set names = var('facets') | map(attribute='facet') | list -%}
  {%- set settings = ['weight', 'count_power', 'idf_power', 'confidence_prior'] -%}
  {%- for name in overrides if name not in names -%}
    {{ stop("The var facet_overrides names the facet " ~ name ~ ", but the facets are " ~ names | join(', ') ~ ".") }}
  {%- endfor -%}
  {%- set merged = [] -%}
  {%- for declared in var('facets') -%}
    {%- set facet = dict(declared) -%}
    {%- set changes = overrides.get(facet.facet) or {} -%}
    {%- if changes is not mapping -%}
      {{ stop("The var facet_overrides sets " ~ facet.facet ~ " to " ~ changes ~ ", but it must be settings such as "
        ~ "{" ~ facet.facet ~ ": {weight: 0.5}}.") }}
    {%- endif -%}
    {%- for setting, value in changes.items() -%}
      {%- if setting not in settings -%}
        {{ stop("The var facet_overrides sets " ~ setting ~ " of " ~ facet.facet ~ ", but a facet has "
          ~ settings | join(', ') ~ ".") }}
      {%- endif -%}
      {%- do facet.update({setting: value}) -%}
    {%- endfor -%}
    {%- for setting in settings if facet[setting] is not number or facet[setting] < 0 -%}
      {{ stop("The facet " ~ facet.facet ~ " has a " ~ setting ~ " of " ~ facet[setting]
        ~ ", but it must be a number of 0 or more.") }}
    {%- endfor -%}
    {%- if (facet.get('matches') or facet.facet) not in names -%}
      {{ stop("The facet " ~ facet.facet ~ " matches " ~ facet.matches ~ ", but the facets are " ~ names | join(', ') ~ ".") }}
    {%- endif -%}
    {%- do merged.append(facet) -%}
  {%- endfor -%}
  {%- set total = merged | sum(attribute='weight') -%}
  {%- if total <= 0 -%}
    {{ stop("The weights of the facets sum to 0: at least one facet needs a weight above 0.") }}
  {%- endif -%}
  {%- for facet in merged -%}
    {%- do facet.update({
      'facet_number': loop.index,
      'weight_share': facet.weight / total,
      'matching_facet_number': names.index(facet.get('matches') or facet.facet) + 1
    }) -%}
  {%- endfor -%}
  {%- for facet in merged if 'cluster' in [facet.facet, facet.matches] and facet.matches is defined -%}
    {{ stop("The facet " ~ facet.facet ~ " matches " ~ facet.matches ~ ", but a cluster is matched by itself only.") }}
  {%- endfor -%}
  {%- for facet in merged if merged[facet.matching_facet_number - 1].matching_facet_number != facet.facet_number -%}
    {{ stop("The facet " ~ facet.facet ~ " matches " ~ facet.matches ~ ", so that " ~ facet.matches ~ " must match "
      ~ facet.facet ~ ": similarity is the same from both sides.") }}
  {%- endfor -%}
  {{ return(merged) }}
{% endmacro %}

{# The facets that describe a user before clustering: all but the cluster itself. #}
{% macro evidence_facets() %}
  {{ return(facets() | rejectattr('facet', 'equalto', 'cluster') | list) }}
{% endmacro %}

{# The id of a feature: each facet is a range of ids, in which its features are numbered. #}
{% macro feature_id(facet_number, feature_number) -%}
  {%- set features_per_facet = 1000000000 -%}
  cast({{ facet_number }} as bigint) * {{ features_per_facet }} + {{ feature_number }}
{%- endmacro %}
