-- What the lists of closest users are like.
-- One row per measure.
select
    measure,
    value,
    meaning
from neighbour_quality
where variant = 'similar_users'
order by measure like '%(mean%', measure not like 'users with %', measure
