-- Who went quiet while similar users are active, and what would bring them back? Users without a view in the quiet_days
-- before the last day of the data, if at least min_active of their similar users viewed something in the last
-- active_days; and the course that most of these viewed then and the user never did. Grain: one row per user, those
-- with most active users first.
-- depends_on: {{ ref('users') }}, {{ ref('similar_users') }}, {{ ref('user_courses') }}

with

asked as (
    select
        90 as quiet_days,
        30 as active_days,
        5 as min_active
),

last_day as (
    select max(last_view_date) as last_date
    from users
),

quiet as (
    select
        users.user_handle,
        users.last_view_date,
        last_day.last_date - users.last_view_date as days_quiet
    from users
    cross join last_day
    cross join asked
    where last_day.last_date - users.last_view_date >= asked.quiet_days
),

seen_by_active as (
    select
        quiet.user_handle,
        similar_users.similar_user_handle,
        user_courses.course_id
    from quiet
    inner join similar_users on quiet.user_handle = similar_users.user_handle
    inner join user_courses on similar_users.similar_user_handle = user_courses.user_handle
    cross join last_day
    cross join asked
    where last_day.last_date - user_courses.last_view_date < asked.active_days
),

active as (
    select
        user_handle,
        count(distinct similar_user_handle) as active_similar_users
    from seen_by_active
    group by user_handle
),

new_to_them as (
    select
        seen_by_active.user_handle,
        seen_by_active.course_id,
        count(*) as viewed_by
    from seen_by_active
    left join user_courses as own
        on seen_by_active.user_handle = own.user_handle and seen_by_active.course_id = own.course_id
    where own.course_id is null
    group by seen_by_active.user_handle, seen_by_active.course_id
),

offered as (
    select
        user_handle,
        course_id,
        viewed_by,
        row_number() over (partition by user_handle order by viewed_by desc, course_id asc) as offer_rank
    from new_to_them
)

select
    quiet.user_handle,
    quiet.last_view_date,
    quiet.days_quiet,
    active.active_similar_users,
    offered.course_id as offered_course_id,
    offered.viewed_by as offered_course_viewed_by
from quiet
cross join asked
inner join active on quiet.user_handle = active.user_handle
left join offered on quiet.user_handle = offered.user_handle and offered.offer_rank = 1
where active.active_similar_users >= asked.min_active
order by active.active_similar_users desc, quiet.user_handle asc
