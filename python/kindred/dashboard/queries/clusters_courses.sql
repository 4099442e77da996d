-- The courses that most members of a cluster viewed.
-- One row per course, at most 30.
-- members: The number of members who viewed the course.
-- member_share: The share of members who viewed the course.
-- user_share: The share of all users who viewed the course.
-- lift: How many times more often members viewed the course than all users.
with

members as (

    select user_handle
    from users
    where cluster_id = $cluster_id

),

totals as (

    select
        (select count(*) from users) as users,
        (select count(*) from members) as members

),

viewers as (

    select
        user_courses.course_id,
        count(members.user_handle) as members,
        count(*) as users
    from user_courses
    left join members on user_courses.user_handle = members.user_handle
    group by user_courses.course_id

)

select
    viewers.course_id,
    courses.course_tags,
    courses.level,
    viewers.members,
    viewers.members / totals.members as member_share,
    viewers.users / totals.users as user_share,
    (viewers.members / totals.members) / (viewers.users / totals.users) as lift
from viewers
inner join courses on viewers.course_id = courses.course_id
cross join totals
where viewers.members > 0
order by viewers.members desc, lift desc, viewers.course_id asc
limit 30
