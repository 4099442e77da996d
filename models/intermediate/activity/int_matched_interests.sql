-- The tags of each course that the user viewed and also follows.
-- Grain: one row per user and viewed course, if the user follows a tag of the course or a related tag.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

),

course_subjects as (

    select * from {{ ref('int_course_subjects') }}

),

user_interests as (

    select * from {{ ref('int_user_interests') }}

),

matches as (

    select
        user_courses.user_number,
        user_courses.course_id,
        course_subjects.tag,
        course_subjects.is_course_tag
    from user_courses
    inner join course_subjects on user_courses.course_id = course_subjects.course_id
    inner join user_interests
        on
            user_courses.user_number = user_interests.user_number
            and course_subjects.tag = user_interests.interest_tag

)

-- The list grows row by row, and the last row has it all: an aggregate would hold every list in memory at once.
select
    user_number,
    course_id,
    {{ list_so_far('tag', 'user_number, course_id', 'tag', condition='is_course_tag') }} as interest_tags
from matches
qualify lead(tag) over (partition by user_number, course_id order by tag) is null
