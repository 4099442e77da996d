-- Facet: the courses that users viewed, as what others may be about to take (facet_next_courses): what meets it is that
-- the other's courses lead to them.
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
