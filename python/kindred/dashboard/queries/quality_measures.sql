-- Everything that a build measures about similar users and clusters.
-- One row per measure and variant.
select
    measure,
    label,
    variant,
    value,
    interval_low,
    interval_high,
    unit,
    direction,
    meaning,
    missing_reason
from neighbour_quality
order by measure asc, value desc, variant asc
