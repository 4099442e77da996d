-- Everything that a build measures about closest users and clusters.
-- One row per measure and variant.
select
    measure,
    variant,
    value,
    interval_low,
    interval_high,
    meaning
from neighbour_quality
order by measure asc, value desc, variant asc
