-- Assessments that users took; a fully repeated row is the same assessment delivered twice, hence one row here.
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
