-- One eps is chosen: the loosest whose largest cluster is allowed, unless even that finds no cluster. Every tighter eps
-- is allowed too, since clusters only grow with eps. user_clusters has the counts that the search found.

with

cluster_search as (

    select * from {{ ref('cluster_search') }}

),

loosest_allowed as (

    select max(eps) as eps
    from cluster_search
    where is_allowed

),

found as (

    select
        count(*) filter (where cluster_id >= 0) as clustered_users,
        count(*) filter (where is_core) as core_users,
        max(cluster_id) + 1 as clusters
    from {{ ref('user_clusters') }}

)

select
    cluster_search.min_shared,
    'chosen or not against the rule' as broken
from cluster_search
cross join loosest_allowed
where
    cluster_search.is_chosen
    != coalesce(cluster_search.eps = loosest_allowed.eps and cluster_search.clusters > 0, false)
    or (cluster_search.eps < loosest_allowed.eps and not cluster_search.is_allowed)

union all

select
    cluster_search.min_shared,
    'user_clusters differs from what the search counted' as broken
from cluster_search
cross join found
where
    cluster_search.is_chosen
    and (
        cluster_search.clusters != found.clusters
        or cluster_search.clustered_users != found.clustered_users
        or cluster_search.core_users != found.core_users
    )
