-- The facets' parts sum to the similarity.

select *
from {{ ref('similar_users') }}
where abs(
    similarity - (
        {%- for facet in facets() %}
        {{ facet.facet }}_part{{ ' +' if not loop.last }}
        {%- endfor %}
    )
) > 1e-9
