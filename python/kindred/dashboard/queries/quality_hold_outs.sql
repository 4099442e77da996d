-- How much of what was hidden from them users would have been led to: a part of their courses is hidden, and 20 courses
-- are recommended by the votes of the closest users, by those of the users closest by plain cosine, and by popularity.
-- One row per measure and way to recommend, the best first.
-- way: How courses are recommended; all_facets are the closest users of a build, others those by one kind of evidence.
-- is_closest_users: Whether it is what a build makes.
select
    measure,
    variant as way,
    value,
    interval_low,
    interval_high,
    variant = 'all_facets' as is_closest_users,
    meaning
from neighbour_quality
where
    measure in ('hold_out_ndcg_at_20', 'hold_out_recall_at_20')
    and (variant not in ('all_facets', 'all_facets_but_cluster', 'plain_cosine', 'popularity')) = $is_single_facet
    and value is not null
order by measure asc, value desc, variant asc
