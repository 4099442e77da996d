-- Every eps that was considered for the clusters of users: what it would give, and why it was chosen or not.
-- Grain: one row per eps, from the tightest to the loosest.

with

cluster_search as (

    select * from {{ ref('int_cluster_search') }}

)

select
    min_shared,
    eps,
    min_samples,
    core_users,
    clusters,
    clustered_users,
    noise_share,
    largest_cluster_share,
    is_allowed,
    is_chosen,
    reason
from cluster_search
order by eps
