-- Assessments as delivered, typed, with the reason if a row cannot be used.
-- Grain: one row per row of the file.

with

source as (

    select * from {{ raw_input('user_assessment_scores') }}

),

column_forms as (

    select * from {{ ref('stg_column_forms') }}
    where input_name = 'user_assessment_scores'

),

odd_dates as (

    select * from {{ ref('stg_odd_dates') }}
    where input_name = 'user_assessment_scores'

),

formed as (

    select
        source.line_number,
        source.user_handle,
        source.assessment_tag,
        source.user_assessment_date,
        source.user_assessment_score,
        source.read_error,
        date_forms.form as date_form,
        coalesce({{ clean_timestamp('source.user_assessment_date') }}, odd_dates.read_at) as dated_at,
        tag_forms.form as tag_separator
    from source
    left join odd_dates on source.user_assessment_date = odd_dates.delivered_date
    left join column_forms as date_forms on date_forms.column_name = 'user_assessment_date'
    left join column_forms as tag_forms on tag_forms.column_name = 'assessment_tag'

),

typed as (

    select
        line_number,
        user_handle as delivered_user_handle,
        {{ row_as_text([
            'user_handle', 'assessment_tag', 'user_assessment_date', 'user_assessment_score'
        ]) }} as delivered_row,
        read_error,
        date_form,

        {{ clean_handle('user_handle', user_handle_type()) }} as user_handle,
        {{ clean_tags('assessment_tag', 'tag_separator') }} as assessment_tags,
        dated_at as assessed_at,
        {{ clean_number('user_assessment_score') }} as score

    from formed

)

select
    line_number,
    delivered_user_handle,
    delivered_row,
    user_handle,
    assessment_tags,
    assessed_at,
    score,
    case
        when read_error is not null then {{ read_error_reason() }}
        when user_handle is null then {{ reason_of_missing_handle('delivered_user_handle') }}
        when assessment_tags is null then 'assessment_tag is blank'
        when assessed_at is null then {{ date_reason('user_assessment_date') }}
        when score is null then 'user_assessment_score is not a number'
        when score < 0 then 'user_assessment_score is negative'
        when score > 1e15 then 'user_assessment_score is more than 1e15'
    end as reject_reason
from typed
