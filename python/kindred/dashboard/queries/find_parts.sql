-- The part of the similarity that each facet (kind of evidence) adds, between one user and the similar users. The parts
-- of a user sum to the similarity.
-- One row per similar user and facet.
-- facet: The kind of evidence (table facets).
-- part: What the facet adds to the similarity.
with

listed_parts as (

    select
        rank,
        similar_user_handle,
        columns('_part$')
    from similar_users
    where user_handle = $user_handle

),

parts as (

    unpivot listed_parts
    on columns('_part$')
    into name part_name value part

)

select
    parts.rank,
    parts.similar_user_handle,
    facets.facet_number,
    facets.facet,
    parts.part
from parts
inner join facets on parts.part_name = facets.facet || '_part'
where parts.part > 0
order by parts.rank, facets.facet_number
