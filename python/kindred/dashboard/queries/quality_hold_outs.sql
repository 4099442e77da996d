-- How much of what was hidden from them users would have been led to: a part of their courses is hidden, and 20 courses
-- are recommended by the votes of the closest users, by those of the users closest by plain cosine, and by popularity.
-- One row per measure and way to recommend, the best first.
-- way: How courses are recommended; all facets are the closest users of a build, "alone" those by one kind of evidence.
-- is_single_facet: Whether it is one kind of evidence alone.
-- is_closest_users: Whether it is what a build makes.
select
    measure,
    variant as way,
    value,
    interval_low,
    interval_high,
    variant like '% alone' as is_single_facet,
    variant = 'all facets' as is_closest_users,
    meaning
from neighbour_quality
where
    measure in ('hold-out NDCG@20', 'hold-out Recall@20')
    and value is not null
order by measure asc, value desc, variant asc
