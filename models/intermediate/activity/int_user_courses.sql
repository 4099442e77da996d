-- Courses that users viewed, from the views that count as evidence (long enough, inside the window).
-- Grain: one row per user and course.

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
    {{ latest('author_handle', 'view_date', 'line_number') }} as author_handle,
    {{ latest('level', 'view_date', 'line_number') }} as level,
    min(view_date) as first_view_date,
    max(view_date) as last_view_date,
    count(*) as total_views,
    {{ exact_sum('view_seconds') }} as total_view_seconds
from course_views
group by user_handle, course_id
