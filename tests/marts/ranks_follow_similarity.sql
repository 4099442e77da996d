-- Ranks run from 1 without gaps, by falling similarity; equally close users stand in the order of their handles.

with

ordered as (

    select
        user_handle,
        rank,
        similar_user_handle,
        similarity,
        row_number() over (
            partition by user_handle
            order by rank
        ) as place,
        lag(similarity) over (partition by user_handle order by rank) as similarity_before,
        lag(similar_user_handle) over (partition by user_handle order by rank) as handle_before
    from {{ ref('similar_users') }}

)

select *
from ordered
where
    rank != place
    or similarity > similarity_before + 1e-9
    or (abs(similarity - similarity_before) < 1e-12 and similar_user_handle < handle_before)
