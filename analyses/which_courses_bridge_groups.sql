-- Which courses bridge two groups? Courses that both clusters view more often than all users do (at least min_lift
-- times), the one of each pair that most of the less interested side viewed. They are where people of two groups meet.
-- Grain: a pair of clusters, the larger one first.
-- depends_on: {{ ref('users') }}, {{ ref('clusters') }}, {{ ref('user_courses') }}, {{ ref('courses') }}

with

asked as (
    select
        1.5 as min_lift,
        3 as min_members
),

viewed as (
    select
        users.cluster_id,
        user_courses.course_id,
        count(*) as members
    from user_courses
    inner join users on user_courses.user_handle = users.user_handle
    where users.cluster_id >= 0
    group by users.cluster_id, user_courses.course_id
),

distinctive as (
    select
        viewed.cluster_id,
        clusters.label,
        viewed.course_id,
        viewed.members,
        viewed.members / clusters.users as members_share
    from viewed
    cross join asked
    inner join clusters on viewed.cluster_id = clusters.cluster_id
    inner join courses on viewed.course_id = courses.course_id
    where
        viewed.members >= asked.min_members
        and viewed.members / clusters.users >= asked.min_lift * courses.total_users / (select count(*) from users)
),

bridges as (
    select
        one.cluster_id,
        one.label,
        other.cluster_id as other_cluster_id,
        other.label as other_label,
        one.course_id,
        one.members,
        other.members as other_members,
        one.members_share,
        other.members_share as other_members_share,
        least(one.members_share, other.members_share) as min_share
    from distinctive as one
    inner join distinctive as other on one.course_id = other.course_id and one.cluster_id < other.cluster_id
),

ranked as (
    select
        label,
        other_label,
        cluster_id,
        other_cluster_id,
        course_id,
        members,
        other_members,
        members_share,
        other_members_share,
        min_share,
        row_number() over (
            partition by cluster_id, other_cluster_id order by min_share desc, course_id asc
        ) as course_rank
    from bridges
)

select
    label as cluster_label,
    other_label as other_cluster_label,
    course_id,
    members,
    other_members,
    round(members_share, 3) as members_share,
    round(other_members_share, 3) as other_members_share
from ranked
where course_rank = 1
order by min_share desc, cluster_id asc, other_cluster_id asc
