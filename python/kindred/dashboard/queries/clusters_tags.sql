-- What sets a cluster apart: tags that a tenth of its members or more have and that are more frequent than among all
-- users; those first that are both.
-- One row per kind of tag and tag, at most 30.
-- tag: The subject of courses viewed (course_tags) or the interest followed (interests).
-- members: How many members have it.
-- member_share: The same as a share of the members.
-- user_share: How many of all users have it.
-- lift: How many times more often members have it than all users.
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
