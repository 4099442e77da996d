-- Ranks run from 1 without gaps, by falling ranking score, which is the similarity less the correction for hubs.

{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by this much #}
{%- set exact_within = 1e-12 %} {#- the same numbers subtracted again #}

with

ordered as (

    select
        user_handle,
        rank,
        similarity,
        neighbourhood_similarity,
        ranking_score,
        row_number() over (
            partition by user_handle
            order by rank
        ) as expected_rank,
        lag(ranking_score) over (partition by user_handle order by rank) as score_before
    from {{ ref('similar_users') }}

)

select *
from ordered
where
    rank != expected_rank
    or ranking_score > score_before + {{ rounding }}
    or abs(ranking_score - (similarity - {{ var('hub_correction') }} * neighbourhood_similarity)) > {{ exact_within }}
