-- The clusters of users: how large they are, what sets them apart, and how similar their members are.
-- Grain: one row per cluster; users in no cluster (-1) have no row.

{%- set label_tags = 3 %}        {#- tags or courses of a label, at most #}
{%- set label_share = 0.25 %}    {#- the least share of the members who have a tag of the label #}
{%- set label_lift = 1.5 %}      {#- how many times as often as all users members have a tag of the label, at least #}
{%- set top_tags = 10 %}         {#- tags in top_tags, at most #}
{%- set top_tag_share = 0.1 %}   {#- the least share of the members who have one of the top tags #}

with

user_clusters as (

    select * from {{ ref('int_user_clusters') }}

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
    where cluster_id >= 0
    group by cluster_id

),

totals as (

    select count(*) as total_users
    from user_clusters

),

feature_sums as (

    select
        user_clusters.cluster_id,
        profiles.feature_id,
        profiles.matching_feature_id,
        {{ exact_sum('profiles.weight') }} as weight_sum,
        {{ exact_sum('profiles.weight * profiles.weight') }} as square_sum
    from profiles
    inner join user_clusters on profiles.user_number = user_clusters.user_number
    where user_clusters.cluster_id >= 0
    group by user_clusters.cluster_id, profiles.feature_id, profiles.matching_feature_id

),

-- The sum over all pairs of members is the product of the summed profile with itself, less each member with itself.
-- Only features that match themselves count in the latter, since nobody's next courses are courses that they have
-- viewed.
cohesion as (

    select
        feature_sums.cluster_id,
        {{ exact_sum(
            'feature_sums.weight_sum * matching_sums.weight_sum'
            ~ ' - case when feature_sums.feature_id = matching_sums.feature_id then feature_sums.square_sum else 0 end'
        ) }}
        / (any_value(sizes.total_users) * (any_value(sizes.total_users) - 1)) as mean_similarity
    from feature_sums
    inner join feature_sums as matching_sums
        on
            feature_sums.cluster_id = matching_sums.cluster_id
            and feature_sums.matching_feature_id = matching_sums.feature_id
    inner join sizes on feature_sums.cluster_id = sizes.cluster_id
    where sizes.total_users > 1
    group by feature_sums.cluster_id

),

tag_users as (

    select
        facet,
        feature as tag,
        count(*) as users
    from profiles
    where facet in ('course_tags', 'courses', 'interests')
    group by facet, feature

),

cluster_tag_users as (

    select
        user_clusters.cluster_id,
        profiles.facet,
        profiles.feature as tag,
        count(*) as users
    from profiles
    inner join user_clusters on profiles.user_number = user_clusters.user_number
    where
        profiles.facet in ('course_tags', 'courses', 'interests')
        and user_clusters.cluster_id >= 0
    group by user_clusters.cluster_id, profiles.facet, profiles.feature

),

-- Shares of all members and of all users, with courses or not: if members viewed little, no course tag is frequent.
-- Courses pass for tags up to distinctive_courses.
tag_shares as (

    select
        cluster_tag_users.cluster_id,
        cluster_tag_users.facet,
        cluster_tag_users.tag,
        cluster_tag_users.users,
        tag_users.users as all_users,
        cast(cluster_tag_users.users as double) / sizes.total_users as member_share,
        (cast(cluster_tag_users.users as double) / sizes.total_users)
        / (cast(tag_users.users as double) / totals.total_users) as lift
    from cluster_tag_users
    inner join tag_users
        on
            cluster_tag_users.facet = tag_users.facet
            and cluster_tag_users.tag = tag_users.tag
    inner join sizes on cluster_tag_users.cluster_id = sizes.cluster_id
    cross join totals

),

scored_tags as (

    select
        cluster_id,
        facet,
        tag,
        member_share * ln(lift) as score,
        member_share >= {{ label_share }} and lift >= {{ label_lift }} as is_label,
        -- Tags that the same users have are one subject under two names; the longer name says more.
        row_number() over (
            partition by cluster_id, facet, users, all_users
            order by length(tag) desc, tag asc
        ) as name_rank,
        -- A tag and its versions are one subject too: angular, angular-4 and angularjs; html and html5.
        regexp_replace(
            regexp_replace(lower(tag), '([a-z]{2})[-. ]?js$', '\1'),
            '([a-z{{ var("tag_symbols") }}]{2})[-. ]?[0-9][0-9.]*$',
            '\1'
        ) as subject
    from tag_shares
    where
        member_share >= {{ top_tag_share }}
        and lift > 1

),

subjects as (

    select
        cluster_id,
        facet,
        tag,
        score,
        is_label,
        row_number() over (
            partition by cluster_id, subject
            order by is_label desc, facet asc, score desc, tag asc
        ) as version_rank
    from scored_tags
    where
        name_rank = 1
        and facet != 'courses'

),

-- The subjects of what members viewed come before what they follow ('course_tags' sorts before 'interests').
distinctive_tags as (

    select
        cluster_id,
        tag,
        is_label,
        row_number() over (
            partition by cluster_id
            order by is_label desc, facet asc, score desc, tag asc
        ) as tag_rank
    from subjects
    where version_rank = 1

),

distinctive_courses as (

    select
        cluster_id,
        tag as course_id,
        is_label,
        row_number() over (
            partition by cluster_id
            order by is_label desc, score desc, tag asc
        ) as course_rank
    from scored_tags
    where facet = 'courses'

),

joined_tags as (

    select
        cluster_id,
        {{ join_text(
            'case when tag_rank = 1 or (tag_rank <= ' ~ label_tags ~ ' and is_label) then tag end', order_by='tag_rank'
        ) }} as label,
        {{ list_of('tag', order_by='tag_rank') }} as top_tags
    from distinctive_tags
    where tag_rank <= {{ top_tags }}
    group by cluster_id

),

joined_courses as (

    select
        cluster_id,
        {{ join_text(
            'case when course_rank = 1 or is_label then course_id end', order_by='course_rank'
        ) }} as label
    from distinctive_courses
    where course_rank <= {{ label_tags }}
    group by cluster_id

),

-- Without tags that set it apart, a cluster is called by its courses, or else by its size.
named as (

    select
        sizes.cluster_id,
        joined_tags.top_tags,
        coalesce(
            joined_tags.label,
            joined_courses.label,
            sizes.total_users || case sizes.total_users when 1 then ' user' else ' users' end
        ) as label
    from sizes
    left join joined_tags on sizes.cluster_id = joined_tags.cluster_id
    left join joined_courses on sizes.cluster_id = joined_courses.cluster_id

),

labels as (

    select
        cluster_id,
        top_tags,
        label || case
            when row_number() over same_label > 1 then ' (' || row_number() over same_label || ')'
            else ''
        end as label
    from named
    window same_label as (partition by label order by cluster_id)

)

select
    sizes.cluster_id,
    labels.label,
    sizes.total_users as users,
    sizes.total_core_users as core_users,
    labels.top_tags,
    {{ within_0_and_1('cohesion.mean_similarity') }} as cohesion
from sizes
inner join labels on sizes.cluster_id = labels.cluster_id
left join cohesion on sizes.cluster_id = cohesion.cluster_id
order by sizes.cluster_id
