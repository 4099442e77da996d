-- Facet: the courses that users viewed, to be matched with the predicted next courses of others (facet_next_courses).
-- Grain: one row per user and course.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

)

select
    user_handle,
    course_id,
    course_id as feature,
    cast(1 as double) as occurrences
from user_courses
