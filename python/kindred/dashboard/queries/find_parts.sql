-- What each facet (kind of evidence) adds to the similarity of one user to the closest ones; the parts sum to it.
-- One row per close user and facet.
-- facet: The kind of evidence (table facets).
-- part: What it adds to the similarity.
select
    rank,
    similar_user_handle,
    facet_number,
    facets.facet,
    part
from (
    unpivot (
        select rank, similar_user_handle, columns('_part$')
        from similar_users
        where user_handle = $user_handle
    )
    on columns('_part$')
    into name part_name value part
) as parts
inner join facets on parts.part_name = facets.facet || '_part'
where part > 0
order by rank, facet_number
