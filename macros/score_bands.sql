{#
  The bands of the var score_band_edges, from low to high: a list of dicts of from and below (the edges that begin and end
  the band; none at the ends of the scale; an edge belongs to the band above it) and label. Empty if the var is not set.
#}
{% macro fixed_score_bands() %}
  {%- set edges = var('score_band_edges') or [] -%}
  {%- set bands = [] -%}
  {%- for edge in edges -%}
    {%- do bands.append({'from': none if loop.first else loop.previtem, 'below': edge, 'label': 'score below ' ~ edge}) -%}
    {%- if loop.last -%}
      {%- do bands.append({'from': edge, 'below': none, 'label': 'score ' ~ edge ~ ' or more'}) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(bands) }}
{% endmacro %}
