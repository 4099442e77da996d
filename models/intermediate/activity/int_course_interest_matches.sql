-- Courses that a user viewed and that have a tag which the same user follows.
-- Grain: one row per user, course and shared tag.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

),

course_tags as (

    select * from {{ ref('int_course_tags') }}

),

user_interests as (

    select * from {{ ref('int_user_interests') }}

)

select
    user_courses.user_handle,
    user_courses.course_id,
    user_interests.interest_tag
from user_courses
inner join course_tags on user_courses.course_id = course_tags.course_id
inner join user_interests
    on
        user_courses.user_handle = user_interests.user_handle
        and course_tags.course_tag = user_interests.interest_tag
