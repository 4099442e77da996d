-- How stable clusters are when courses are hidden and when users are sampled.
-- One row per measure; no row if the build did not measure quality.
select
    label,
    value,
    unit,
    meaning
from neighbour_quality
where variant = 'user_clusters'
order by label
