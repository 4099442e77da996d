-- Course tags as delivered, typed, with the reason if a row cannot be used.
-- Grain: one row per row of the file.

with

source as (

    select * from {{ raw_input('course_tags') }}

),

column_forms as (

    select * from {{ ref('stg_column_forms') }}
    where input_name = 'course_tags'

),

formed as (

    select
        source.line_number,
        source.course_id,
        source.course_tags,
        source.read_error,
        tag_forms.form as tag_separator
    from source
    left join column_forms as tag_forms on tag_forms.column_name = 'course_tags'

),

typed as (

    select
        line_number,
        cast(null as varchar) as delivered_user_handle,
        {{ row_as_text(['course_id', 'course_tags']) }} as delivered_row,
        read_error,

        {{ clean_text('course_id') }} as course_id,
        coalesce({{ clean_tags('course_tags', 'tag_separator') }}, [null]) as course_tags

    from formed

)

select
    line_number,
    delivered_user_handle,
    delivered_row,
    course_id,
    course_tags,
    case
        when read_error is not null then {{ read_error_reason() }}
        when course_id is null then 'course_id is blank'
    end as reject_reason
from typed
