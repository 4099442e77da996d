-- Facet: the levels of the courses that users viewed.
-- Grain: one row per user and course with a level.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

)

select
    user_number,
    course_id,
    level as feature,
    cast(1 as double) as occurrences
from user_courses
where level is not null
