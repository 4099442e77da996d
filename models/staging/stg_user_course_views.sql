-- The views of courses. A repeated row is a repeated view, so it stays.
-- Grain: one row per view (line_number).

with

course_views as (

    select * from {{ ref('base_user_course_views') }}

)

select
    line_number,
    user_handle,
    view_date,
    course_id,
    author_handle,
    level,
    view_seconds
from course_views
where reject_reason is null
