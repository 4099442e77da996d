-- Facet: the assessments that users took (1 each) and the bands that their scores fall into (score_band_weight each),
-- so that equal results make users more similar than the same subject alone.
-- Grain: one row per user and assessment, and one per user, assessment and score band.

with

user_assessments as not materialized (

    select * from {{ ref('int_user_assessments') }}

),

score_bands as (

    select * from {{ ref('int_score_bands') }}

)

select
    user_number,
    cast(null as varchar) as course_id,
    assessment_tag as feature,
    cast(1 as double) as occurrences
from user_assessments

union all

select
    user_assessments.user_number,
    cast(null as varchar) as course_id,
    user_assessments.assessment_tag || ' (' || score_bands.label || ')' as feature,
    cast({{ var('score_band_weight') }} as double) as occurrences
from user_assessments
inner join score_bands
    on
        user_assessments.assessment_tag = score_bands.assessment_tag
        and (score_bands.from_score is null or user_assessments.score >= score_bands.from_score)
        and (score_bands.below_score is null or user_assessments.score < score_bands.below_score)
where {{ var('score_band_weight') }} > 0
