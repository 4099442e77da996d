-- Courses that a user viewed and that have a tag in which the same user was assessed.
-- Grain: one row per user, course and shared tag.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

),

course_tags as (

    select * from {{ ref('int_course_tags') }}

),

user_assessments as (

    select * from {{ ref('int_user_assessments') }}

)

select
    user_courses.user_handle,
    user_courses.course_id,
    user_assessments.assessment_tag,
    user_assessments.score
from user_courses
inner join course_tags on user_courses.course_id = course_tags.course_id
inner join user_assessments
    on
        user_courses.user_handle = user_assessments.user_handle
        and course_tags.course_tag = user_assessments.assessment_tag
