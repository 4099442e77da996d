-- The facets' parts sum to the similarity.

{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by so much #}

{% set parts = facets() | map(attribute='facet') | join('_part + ') ~ '_part' %}

select
    user_handle,
    rank,
    similarity,
    {{ parts }} as parts_sum
from {{ ref('similar_users') }}
where abs(similarity - ({{ parts }})) > {{ rounding }}
