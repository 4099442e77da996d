-- Facet: the courses that users viewed.
-- Grain: one row per user and course.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

)

select
    user_number,
    course_id,
    course_id as feature,
    cast(total_views as double) as occurrences
from user_courses
