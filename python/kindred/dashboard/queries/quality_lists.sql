-- The properties of the lists of similar users.
-- One row per measure.
select
    label,
    value,
    unit,
    meaning
from neighbour_quality
where variant = 'similar_users'
order by direction = 'none', unit != 'share', label
