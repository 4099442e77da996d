-- The assessments that users took. Fully repeated rows are one assessment that was delivered twice, so they are folded.
-- Grain: one row per user, assessment, time and score.

with

assessment_scores as (

    select * from {{ ref('base_user_assessment_scores') }}

),

single_tags as (

    select
        line_number,
        1 / {{ list_length('assessment_tags') }} as row_share,
        user_handle,
        {{ each_item('assessment_tags') }} as assessment_tag,
        assessed_at,
        score
    from assessment_scores
    where reject_reason is null

)

select
    user_handle,
    assessment_tag,
    assessed_at,
    score,
    {{ exact_sum('row_share') }} as delivered_rows,
    min(line_number) as first_line_number
from single_tags
group by user_handle, assessment_tag, assessed_at, score
