-- The courses that at least one user viewed, with a number for each, since matrices refer to courses by number.
-- Grain: one row per course viewed.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

)

select
    row_number() over (order by course_id) - 1 as course_number,
    course_id,
    count(*) as total_users
from user_courses
group by course_id
