-- How well clusters hold on hidden courses and on samples of the users.
-- One row per measure; none where quality was not measured.
select
    measure,
    value,
    meaning
from neighbour_quality
where variant = 'user_clusters'
order by measure
