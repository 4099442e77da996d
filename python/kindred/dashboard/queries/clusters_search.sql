-- Every eps that the build considered: how near two users must be to count as linked, the clusters that this gives, and
-- why it was chosen or not.
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
