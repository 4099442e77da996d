-- Facet: the assessments that users took (1 each) and the bands that their scores fall into (score_band_weight each),
-- so that equal results make users more similar than the same subject alone.
-- Grain: one row per user and assessment, and one per user, assessment and score band.

with

user_assessments as not materialized (

    select * from {{ ref('int_user_assessments') }}

)

select
    user_number,
    cast(null as varchar) as course_id,
    assessment_tag as feature,
    cast(1 as double) as occurrences
from user_assessments

union all

select
    user_number,
    cast(null as varchar) as course_id,
    assessment_tag || case
        {%- for band in score_bands() if band.below is not none %}
        when score < {{ band.below }} then ' ({{ band.label }})'
        {%- endfor %}
        else ' ({{ (score_bands() | last).label }})'
    end as feature,
    cast({{ var('score_band_weight') }} as double) as occurrences
from user_assessments
where {{ var('score_band_weight') }} > 0
