-- Which group is a user in, and what sets it apart? The user's cluster or, for a user in none, the nearest one
-- (is_member is false): what its members have more often than all users, and whether the user has it too. lift is the
-- share of the members over the share of all users; features that are frequent and distinctive come first. Grain: one
-- row per feature, at most 20.
-- depends_on: {{ ref('users') }}, {{ ref('clusters') }}, {{ ref('user_features') }}, {{ ref('features') }}

with

asked as (
    select user_handle
    from users
    where user_handle = '42'
),

their_group as (
    select
        users.cluster_id >= 0 as is_member,
        clusters.cluster_id,
        clusters.label,
        clusters.users
    from users
    inner join asked on users.user_handle = asked.user_handle
    inner join clusters on users.nearest_cluster_id = clusters.cluster_id
),

shared as (
    select
        user_features.feature_id,
        count(*) as members
    from user_features
    inner join users on user_features.user_handle = users.user_handle
    inner join their_group on users.cluster_id = their_group.cluster_id
    where user_features.facet in ('courses', 'course_tags', 'interests', 'assessments', 'authors')
    group by user_features.feature_id
),

of_asked as (
    select user_features.feature_id
    from user_features
    inner join asked on user_features.user_handle = asked.user_handle
),

compared as (
    select
        features.feature_id,
        features.facet,
        features.feature,
        shared.members / their_group.users as members_share,
        features.users / (select count(*) from users) as users_share
    from shared
    cross join their_group
    inner join features on shared.feature_id = features.feature_id
)

select
    their_group.label as cluster_label,
    their_group.is_member,
    compared.facet,
    compared.feature,
    round(compared.members_share, 3) as members_share,
    round(compared.members_share / compared.users_share, 2) as lift,
    of_asked.feature_id is not null as has_it
from compared
cross join their_group
left join of_asked on compared.feature_id = of_asked.feature_id
where compared.members_share > compared.users_share
order by
    compared.members_share * ln(compared.members_share / compared.users_share) desc,
    compared.facet asc,
    compared.feature asc
limit 20
