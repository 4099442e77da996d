-- Course views as delivered, typed, with the reason if a row cannot be used.
-- Grain: one row per row of the file.

with

source as (

    select * from {{ raw_input('user_course_views') }}

),

column_forms as (

    select * from {{ ref('stg_column_forms') }}
    where input_name = 'user_course_views'

),

odd_dates as (

    select * from {{ ref('stg_odd_dates') }}
    where input_name = 'user_course_views'

),

formed as (

    select
        source.line_number,
        source.user_handle,
        source.view_date,
        source.course_id,
        source.author_handle,
        source.level,
        source.view_time_seconds,
        source.read_error,
        date_forms.form as date_form,
        coalesce({{ clean_timestamp('source.view_date') }}, odd_dates.read_at) as dated_at
    from source
    left join odd_dates on source.view_date = odd_dates.delivered_date
    left join column_forms as date_forms on date_forms.column_name = 'view_date'

),

typed as (

    select
        line_number,
        user_handle as delivered_user_handle,
        {{ row_as_text([
            'user_handle', 'view_date', 'course_id', 'author_handle', 'level', 'view_time_seconds'
        ]) }} as delivered_row,
        read_error,
        date_form,

        {{ clean_handle('user_handle', user_handle_type()) }} as user_handle,
        cast(dated_at as date) as view_date,
        {{ clean_text('course_id') }} as course_id,
        {{ clean_handle('author_handle', author_handle_type()) }} as author_handle,
        {{ clean_text('level') }} as level,
        {{ clean_number('view_time_seconds') }} as view_seconds

    from formed

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
        when read_error is not null then {{ read_error_reason() }}
        when user_handle is null then {{ reason_of_missing_handle('delivered_user_handle') }}
        when view_date is null then {{ date_reason('view_date') }}
        when course_id is null then 'course_id is blank'
        when view_seconds is null then 'view_time_seconds is not a number'
        when view_seconds < 0 then 'view_time_seconds is negative'
        when view_seconds > {{ var('max_view_seconds') }}
            then 'view_time_seconds is more than {{ var("max_view_seconds") }}'
    end as reject_reason
from typed
