-- What each measure of neighbour_quality is called and means, from the seed.
-- Grain: one row per measure.

with

quality_measures as (

    select * from {{ ref('quality_measures') }}

)

select
    measure,
    label,
    unit,
    direction,
    meaning
from quality_measures
