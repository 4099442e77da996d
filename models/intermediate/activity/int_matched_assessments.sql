-- The user's score in the tags of each course that the user viewed.
-- Grain: one row per user and viewed course, if the user was assessed in a tag of the course or in a related tag.

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

-- A related tag makes a match, but gives no score.
matches as (

    select
        user_courses.user_number,
        user_courses.course_id,
        case when course_subjects.is_course_tag then user_assessments.score end as score
    from user_courses
    inner join course_subjects on user_courses.course_id = course_subjects.course_id
    inner join user_assessments
        on
            user_courses.user_number = user_assessments.user_number
            and course_subjects.tag = user_assessments.assessment_tag

)

select
    user_number,
    course_id,
    {{ exact_sum('score') }} / count(score) as user_assessment_score
from matches
group by user_number, course_id
