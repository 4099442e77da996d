-- The assessments that users took. Fully repeated rows are one assessment that was delivered twice, so they are folded.
-- Grain: one row per user, assessment, time and score.

with

assessment_scores as (

    select * from {{ ref('base_user_assessment_scores') }}

)

select
    user_handle,
    assessment_tag,
    assessed_at,
    score,
    count(*) as delivered_rows
from assessment_scores
where reject_reason is null
group by user_handle, assessment_tag, assessed_at, score
