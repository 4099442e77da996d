-- What the views say about each course: who made it and at what level (as the latest view has it), and its audience.
-- Grain: one row per course that was viewed.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

)

select
    course_id,
    {{ latest('author_handle', 'last_view_date', 'author_handle') }} as author_handle,
    {{ latest('level', 'last_view_date', 'level') }} as level,
    count(*) as total_users,
    sum(total_views) as total_views,
    sum(total_view_seconds) as total_view_seconds
from user_courses
group by course_id
