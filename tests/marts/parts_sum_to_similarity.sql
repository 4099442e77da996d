-- The parts of the facets sum to the similarity, and each lies within 0 and 1.

{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by this much #}

{% set facet_names = facets() | map(attribute='facet') | list %}
{% set parts = facet_names | join('_part + ') ~ '_part' %}

select
    user_handle,
    rank,
    similarity,
    {{ parts }} as parts_sum
from {{ ref('similar_users') }}
where
    abs(similarity - ({{ parts }})) > {{ rounding }}
    {%- for facet in facet_names %}
    or {{ facet }}_part not between 0 and 1
    {%- endfor %}
