-- Ranks run from 1 without gaps, by falling ranking score, which is the similarity less the correction for hubs;
-- equally close users stand in the order of their handles.

{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by so much #}
{%- set tied_within = 1e-12 %} {#- scores that differ by less are equal #}

with

ordered as (

    select
        user_handle,
        rank,
        similar_user_handle,
        similarity,
        neighbourhood_similarity,
        ranking_score,
        row_number() over (
            partition by user_handle
            order by rank
        ) as expected_rank,
        lag(ranking_score) over (partition by user_handle order by rank) as score_before,
        lag(similar_user_handle) over (partition by user_handle order by rank) as handle_before
    from {{ ref('similar_users') }}

)

select *
from ordered
where
    rank != expected_rank
    or ranking_score > score_before + {{ rounding }}
    or abs(ranking_score - (similarity - {{ var('hub_correction') }} * neighbourhood_similarity)) > {{ tied_within }}
    or (abs(ranking_score - score_before) < {{ tied_within }} and similar_user_handle < handle_before)
