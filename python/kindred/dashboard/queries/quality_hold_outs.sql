-- How many hidden courses recommendations find. Some courses of each user are hidden. Then 20 courses are recommended
-- by the votes of similar users, by those of the users most similar by plain cosine, and by popularity.
-- One row per measure and way to recommend, the best first.
-- way: The way to recommend; all_facets uses the similar users of a build, a single facet those found by it alone.
-- is_closest_users: Whether the way uses the similar users of a build.
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
