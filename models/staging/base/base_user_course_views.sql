-- Course views as delivered, typed, with the reason if a row cannot be used.
-- Grain: one row per row of the file.

with

source as (

    select * from {{ raw_input('user_course_views') }}

),

typed as (

    select
        line_number,
        user_handle as delivered_user_handle,
        {{ row_as_text([
            'user_handle', 'view_date', 'course_id', 'author_handle', 'level', 'view_time_seconds'
        ]) }} as delivered_row,
        read_error,

        {{ clean_integer('user_handle') }} as user_handle,
        cast({{ clean_timestamp('view_date') }} as date) as view_date,
        {{ clean_text('course_id') }} as course_id,
        {{ clean_text('author_handle') }} as delivered_author_handle,
        {{ clean_integer('author_handle') }} as author_handle,
        {{ clean_text('level') }} as level,
        {{ clean_number('view_time_seconds') }} as view_seconds

    from source

)

select
    line_number,
    delivered_user_handle,
    delivered_row,
    user_handle,
    view_date,
    course_id,
    author_handle,
    level,
    view_seconds,
    case
        when read_error is not null then 'line cannot be split into columns'
        when user_handle is null or user_handle < 1 then 'user_handle is not a whole number of 1 or more'
        when view_date is null then 'view_date is not a date'
        when course_id is null then 'course_id is blank'
        when delivered_author_handle is not null and author_handle is null then 'author_handle is not a whole number'
        when view_seconds is null then 'view_time_seconds is not a number'
        when view_seconds < 0 then 'view_time_seconds is negative'
        when view_seconds > {{ var('max_view_seconds') }}
            then 'view_time_seconds is more than {{ var("max_view_seconds") }}'
    end as reject_reason
from typed
