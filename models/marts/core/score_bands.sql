-- Which scores of an assessment count as low, middle and high.
-- Grain: one row per subject and band.

with

score_bands as (

    select * from {{ ref('int_score_bands') }}

)

select
    assessment_tag,
    band_number,
    label,
    from_score,
    below_score,
    has_own_edges
from score_bands
order by assessment_tag, band_number
