{#
  The bands that assessment scores fall into, from low to high, as the var score_band_edges sets them: a list of dicts of
  below (the edge that ends the band, which belongs to the next one; none for the highest band) and label.
#}
{% macro score_bands() %}
  {%- set bands = [] -%}
  {%- for edge in var('score_band_edges') -%}
    {%- do bands.append({'below': edge, 'label': 'score below ' ~ edge}) -%}
  {%- endfor -%}
  {%- do bands.append({'below': none, 'label': 'score ' ~ var('score_band_edges') | last ~ ' or more'}) -%}
  {{ return(bands) }}
{% endmacro %}
