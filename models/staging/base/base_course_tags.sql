-- Course tags as delivered, typed, with the reason if a row cannot be used.
-- Grain: one row per row of the file.

with

source as (

    select * from {{ raw_input('course_tags') }}

),

typed as (

    select
        line_number,
        cast(null as varchar) as delivered_user_handle,
        {{ row_as_text(['course_id', 'course_tags']) }} as delivered_row,
        read_error,

        {{ clean_text('course_id') }} as course_id,
        {{ clean_text('course_tags') }} as course_tag

    from source

)

select
    line_number,
    delivered_user_handle,
    delivered_row,
    course_id,
    course_tag,
    case
        when read_error is not null then 'line cannot be split into columns'
        when course_id is null then 'course_id is blank'
    end as reject_reason
from typed
