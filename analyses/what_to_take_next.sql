-- What should a user take next? Courses that the user has not viewed: how many of the similar users viewed them, the
-- sum of their similarities, and which of the user's own courses leads there most strongly. Grain: one row per course,
-- at most 20.
-- depends_on: {{ ref('users') }}, {{ ref('similar_users') }}, {{ ref('user_courses') }}
-- depends_on: {{ ref('course_relations') }}, {{ ref('courses') }}

with

asked as (
    select user_handle
    from users
    where user_handle = '42'
),

own as (
    select user_courses.course_id
    from user_courses
    inner join asked on user_courses.user_handle = asked.user_handle
),

taken_by_closest as (
    select
        user_courses.course_id,
        count(*) as closest_users,
        sum(similar_users.similarity) as summed_similarity
    from similar_users
    inner join asked on similar_users.user_handle = asked.user_handle
    inner join user_courses on similar_users.similar_user_handle = user_courses.user_handle
    where user_courses.course_id not in (select own.course_id from own)
    group by user_courses.course_id
),

leading_there as (
    select
        course_relations.next_course_id,
        max_by(course_relations.course_id, course_relations.strength) as led_by_course_id
    from course_relations
    inner join own on course_relations.course_id = own.course_id
    group by course_relations.next_course_id
)

select
    taken_by_closest.course_id,
    courses.course_tags,
    courses.level,
    taken_by_closest.closest_users,
    round(taken_by_closest.summed_similarity, 3) as summed_similarity,
    leading_there.led_by_course_id
from taken_by_closest
inner join courses on taken_by_closest.course_id = courses.course_id
left join leading_there on taken_by_closest.course_id = leading_there.next_course_id
order by taken_by_closest.summed_similarity desc, taken_by_closest.course_id asc
limit 20
