-- How well clusters hold on hidden courses and on samples of the users.
-- One row per measure; none where quality was not measured.
select
    label,
    value,
    unit,
    meaning
from neighbour_quality
where variant = 'user_clusters'
order by label
