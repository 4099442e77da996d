-- Which course leads to which, and do users take them in that order? The course to which each one leads most strongly,
-- how many viewed both, which of the two first, and how much more often than by chance (lift). A next course that users
-- mostly viewed before is a first step rather than a sequel. Grain: a course with at least min_viewers viewers.
-- depends_on: {{ ref('course_relations') }}, {{ ref('courses') }}, {{ ref('user_courses') }}, {{ ref('users') }}

with

asked as (
    select 20 as min_viewers
),

ranked as (
    select
        course_id,
        next_course_id,
        strength,
        row_number() over (partition by course_id order by strength desc, next_course_id asc) as next_rank
    from course_relations
),

strongest as (
    select
        course_id,
        next_course_id,
        strength
    from ranked
    where next_rank = 1
),

viewers as (
    select count(*) as viewers
    from users
    where total_courses > 0
),

viewed_both as (
    select
        strongest.course_id,
        count(*) as users_of_both,
        count(*) filter (where one.first_view_date < other.first_view_date) as users_next_after,
        count(*) filter (where one.first_view_date > other.first_view_date) as users_next_before
    from strongest
    inner join user_courses as one on strongest.course_id = one.course_id
    inner join user_courses as other
        on strongest.next_course_id = other.course_id and one.user_handle = other.user_handle
    group by strongest.course_id
)

select
    strongest.course_id,
    strongest.next_course_id,
    round(strongest.strength, 3) as strength,
    courses.total_users as viewers,
    coalesce(viewed_both.users_of_both, 0) as users_of_both,
    coalesce(viewed_both.users_next_after, 0) as users_next_after,
    coalesce(viewed_both.users_next_before, 0) as users_next_before,
    round(
        coalesce(viewed_both.users_of_both, 0) * viewers.viewers / (courses.total_users * next_courses.total_users), 2
    ) as lift
from strongest
cross join asked
cross join viewers
inner join courses on strongest.course_id = courses.course_id
inner join courses as next_courses on strongest.next_course_id = next_courses.course_id
left join viewed_both on strongest.course_id = viewed_both.course_id
where courses.total_users >= asked.min_viewers
order by strongest.strength desc, strongest.course_id asc
