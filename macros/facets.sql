{#
  The facets as the vars facets and facet_overrides declare them, with their numbers and shares of the weight. What makes
  no sense in them stops the run, all of it at once.
#}
{% macro facets() %}
  {%- set overrides = var('facet_overrides') or {} -%}
  {%- set names = var('facets') | map(attribute='facet') | list -%}
  {%- set settings = ['weight', 'count_power', 'idf_power', 'confidence_prior'] -%}
  {%- set problems = [] -%}
  {%- set merged = [] -%}
  {%- set matches = {} -%}
  {%- for name in overrides if name not in names -%}
    {%- do problems.append("The var facet_overrides names the facet " ~ name ~ ", but the facets are "
      ~ names | join(', ') ~ ".") -%}
  {%- endfor -%}
  {%- for declared in var('facets') -%}
    {%- set facet = dict(declared) -%}
    {%- set changes = overrides.get(facet.facet) or {} -%}
    {%- if changes is not mapping -%}
      {%- do problems.append("The var facet_overrides sets " ~ facet.facet ~ " to " ~ changes
        ~ ", but it must be settings such as {" ~ facet.facet ~ ": {weight: 0.5}}.") -%}
      {%- set changes = {} -%}
    {%- endif -%}
    {%- for setting, value in changes.items() -%}
      {%- if setting in settings -%}
        {%- do facet.update({setting: value}) -%}
      {%- else -%}
        {%- do problems.append("The var facet_overrides sets " ~ setting ~ " of " ~ facet.facet ~ ", but a facet has "
          ~ settings | join(', ') ~ ".") -%}
      {%- endif -%}
    {%- endfor -%}
    {%- for setting in settings if facet[setting] is not number or facet[setting] < 0 -%}
      {%- do problems.append("The facet " ~ facet.facet ~ " has a " ~ setting ~ " of " ~ facet[setting]
        ~ ", but it must be a number of 0 or more.") -%}
    {%- endfor -%}
    {%- do matches.update({facet.facet: facet.get('matches') or facet.facet}) -%}
    {%- do merged.append(facet) -%}
  {%- endfor -%}
  {%- for name, matched in matches.items() if name != matched -%}
    {%- if matched not in names -%}
      {%- do problems.append("The facet " ~ name ~ " matches " ~ matched ~ ", but the facets are "
        ~ names | join(', ') ~ ".") -%}
    {%- elif 'cluster' in [name, matched] -%}
      {%- do problems.append("The facet " ~ name ~ " matches " ~ matched
        ~ ", but a cluster is matched by itself only.") -%}
    {%- elif matches[matched] != name -%}
      {%- do problems.append("The facet " ~ name ~ " matches " ~ matched ~ ", so that " ~ matched ~ " must match "
        ~ name ~ ": similarity is the same from both sides.") -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if not problems and merged | sum(attribute='weight') <= 0 -%}
    {%- do problems.append("The weights of the facets sum to 0: at least one facet needs a weight above 0.") -%}
  {%- endif -%}
  {%- if problems -%}
    {{ stop(problems | join('\n')) }}
  {%- endif -%}
  {%- set total = merged | sum(attribute='weight') -%}
  {%- for facet in merged -%}
    {%- do facet.update({
      'facet_number': loop.index,
      'weight_share': facet.weight / total,
      'matching_facet_number': names.index(matches[facet.facet]) + 1
    }) -%}
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
