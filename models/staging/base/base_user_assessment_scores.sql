-- Assessments as delivered, typed, with the reason if a row cannot be used.
-- Grain: one row per row of the file.

with

source as (

    select * from {{ raw_input('user_assessment_scores') }}

),

typed as (

    select
        line_number,
        user_handle as delivered_user_handle,
        {{ row_as_text([
            'user_handle', 'assessment_tag', 'user_assessment_date', 'user_assessment_score'
        ]) }} as delivered_row,
        read_error,

        {{ clean_integer('user_handle') }} as user_handle,
        {{ clean_text('assessment_tag') }} as assessment_tag,
        {{ clean_timestamp('user_assessment_date') }} as assessed_at,
        {{ clean_number('user_assessment_score') }} as score

    from source

)

select
    line_number,
    delivered_user_handle,
    delivered_row,
    user_handle,
    assessment_tag,
    assessed_at,
    score,
    case
        when read_error is not null then 'line cannot be split into columns'
        when user_handle is null or user_handle < 1 then 'user_handle is not a whole number of 1 or more'
        when assessment_tag is null then 'assessment_tag is blank'
        when assessed_at is null then 'user_assessment_date is not a date'
        when score is null then 'user_assessment_score is not a number'
        when score < 0 then 'user_assessment_score is negative'
    end as reject_reason
from typed
