-- Every assessment that users took within the evidence window, repeats included, in canonical spelling.
-- Grain: one row per user, subject, time and score.

with

assessment_scores as (

    select * from {{ ref('stg_user_assessment_scores') }}
    where {{ is_in_evidence_window('assessed_at') }}

),

tag_map as (

    select * from {{ ref('tag_map') }}

),

-- The same assessment may have been delivered in two spellings of its subject.
assessments as (

    select distinct
        assessment_scores.user_handle,
        tag_map.canonical_tag as assessment_tag,
        assessment_scores.assessed_at,
        assessment_scores.score
    from assessment_scores
    inner join tag_map
        on
            assessment_scores.assessment_tag = tag_map.raw_tag
            and tag_map.vocabulary = 'assessment'

)

select
    user_handle,
    assessment_tag,
    assessed_at,
    score,
    row_number() over (partition by user_handle, assessment_tag order by assessed_at desc, score desc) = 1 as is_latest
from assessments
order by user_handle, assessment_tag, assessed_at, score
