-- How users did in the tags of the courses that they viewed.
-- Grain: one row per user and course in a tag of which the user was assessed, or in one that is related to its tags.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

),

course_subjects as (

    select * from {{ ref('int_course_subjects') }}

),

user_assessments as (

    select * from {{ ref('int_user_assessments') }}

),

-- Related tags make a match, but no score.
matches as (

    select
        user_courses.user_handle,
        user_courses.course_id,
        case when course_subjects.is_course_tag then user_assessments.score end as score
    from user_courses
    inner join course_subjects on user_courses.course_id = course_subjects.course_id
    inner join user_assessments
        on
            user_courses.user_handle = user_assessments.user_handle
            and course_subjects.tag = user_assessments.assessment_tag

)

select
    user_handle,
    course_id,
    {{ exact_sum('score') }} / count(score) as user_assessment_score
from matches
group by user_handle, course_id
