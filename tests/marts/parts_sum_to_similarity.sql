-- The facets' parts sum to the similarity.

{% set parts = facets() | map(attribute='facet') | join('_part + ') ~ '_part' %}

select
    user_handle,
    rank,
    similarity,
    {{ parts }} as parts_sum
from {{ ref('similar_users') }}
where abs(similarity - ({{ parts }})) > 1e-9
