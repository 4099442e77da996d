-- The clusters of users: how large, what sets them apart, how close their members are.
-- Grain: one row per cluster; users in no cluster (-1) have no row.

with

user_clusters as (

    select * from {{ ref('user_clusters') }}
    where cluster_id >= 0

),

profiles as (

    select * from {{ ref('int_profiles') }}

),

sizes as (

    select
        cluster_id,
        count(*) as total_users,
        count(*) filter (where is_core) as total_core_users
    from user_clusters
    group by cluster_id

),

feature_sums as (

    select
        user_clusters.cluster_id,
        profiles.feature_id,
        {{ exact_sum('profiles.weight') }} as weight_sum,
        {{ exact_sum('profiles.weight * profiles.weight') }} as square_sum
    from profiles
    inner join user_clusters on profiles.user_handle = user_clusters.user_handle
    group by user_clusters.cluster_id, profiles.feature_id

),

-- The sum over all pairs of members is that of the summed profile with itself, less each member with itself.
cohesion as (

    select
        feature_sums.cluster_id,
        {{ exact_sum('feature_sums.weight_sum * feature_sums.weight_sum - feature_sums.square_sum') }}
        / (any_value(sizes.total_users) * (any_value(sizes.total_users) - 1)) as cohesion
    from feature_sums
    inner join sizes on feature_sums.cluster_id = sizes.cluster_id
    where sizes.total_users > 1
    group by feature_sums.cluster_id

),

-- Subjects of courses tell clusters apart; interests serve where the members viewed no courses.
tag_users as (

    select
        facet,
        feature as tag,
        count(*) as users,
        sum(count(*)) over (partition by facet) as facet_users
    from profiles
    where facet in ('course_tags', 'interests')
    group by facet, feature

),

cluster_tag_users as (

    select
        user_clusters.cluster_id,
        profiles.facet,
        profiles.feature as tag,
        count(*) as users,
        sum(count(*)) over (partition by user_clusters.cluster_id, profiles.facet) as facet_users
    from profiles
    inner join user_clusters on profiles.user_handle = user_clusters.user_handle
    where profiles.facet in ('course_tags', 'interests')
    group by user_clusters.cluster_id, profiles.facet, profiles.feature

),

distinctive_tags as (

    select
        cluster_tag_users.cluster_id,
        cluster_tag_users.tag,
        row_number() over (
            partition by cluster_tag_users.cluster_id
            order by
                cluster_tag_users.facet asc,
                cast(cluster_tag_users.users as double) * ln(
                    (cast(cluster_tag_users.users as double) / cluster_tag_users.facet_users)
                    / (cast(tag_users.users as double) / tag_users.facet_users)
                ) desc,
                cluster_tag_users.tag asc
        ) as place
    from cluster_tag_users
    inner join tag_users
        on
            cluster_tag_users.facet = tag_users.facet
            and cluster_tag_users.tag = tag_users.tag

),

labels as (

    select
        cluster_id,
        {{ join_text('case when place <= 3 then tag end', order_by='place') }} as label,
        {{ join_text('tag', order_by='place') }} as top_tags
    from distinctive_tags
    where place <= 10
    group by cluster_id

)

select
    sizes.cluster_id,
    labels.label,
    sizes.total_users as users,
    sizes.total_core_users as core_users,
    labels.top_tags,
    cohesion.cohesion
from sizes
left join labels on sizes.cluster_id = labels.cluster_id
left join cohesion on sizes.cluster_id = cohesion.cluster_id
order by sizes.cluster_id
