-- The tags that set a cluster apart: at least a tenth of its members have them, and they are more frequent there than
-- among all users. Tags that are both frequent and distinctive come first.
-- One row per kind of tag and tag, at most 30.
-- tag: The subject of courses viewed (course_tags) or the interest followed (interests).
-- members: The number of members who have the tag.
-- member_share: The share of members who have the tag.
-- user_share: The share of all users who have the tag.
-- lift: How many times more often members have the tag than all users.
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

member_tags as (

    select
        user_features.feature_id,
        count(*) as members
    from user_features
    inner join members on user_features.user_handle = members.user_handle
    where user_features.facet in ('course_tags', 'interests')
    group by user_features.feature_id

),

shares as (

    select
        features.facet,
        features.feature as tag,
        member_tags.members,
        member_tags.members / totals.members as member_share,
        features.users / totals.users as user_share,
        (member_tags.members / totals.members) / (features.users / totals.users) as lift
    from member_tags
    inner join features on member_tags.feature_id = features.feature_id
    cross join totals

)

select
    facet,
    tag,
    members,
    member_share,
    user_share,
    lift
from shares
where
    member_share >= 0.1
    and lift > 1
order by member_share * ln(lift) desc, facet, tag asc
limit 30
