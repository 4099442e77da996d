-- How much each user viewed each course on each day, from the views that count as evidence.
-- Grain: one row per user, course and day of views.

with

course_views as (

    select * from {{ ref('stg_user_course_views') }}
    where
        view_seconds >= {{ var('min_view_seconds') }}
        and {{ is_in_evidence_window('view_date') }}

)

select
    user_handle,
    course_id,
    view_date,
    count(*) as total_views,
    {{ exact_sum('view_seconds') }} as total_view_seconds
from course_views
group by user_handle, course_id, view_date
order by user_handle, course_id, view_date
