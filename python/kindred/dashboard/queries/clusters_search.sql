-- Every eps that was considered for the clusters: how near two users had to be to count as linked, what that would
-- give, and why it was taken or not.
-- One row per eps, from the tightest to the loosest.
select
    eps,
    min_shared,
    clusters,
    clustered_users,
    noise_share,
    largest_cluster_share,
    core_users,
    is_chosen,
    reason
from cluster_search
order by eps
