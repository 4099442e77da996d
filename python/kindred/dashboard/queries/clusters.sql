-- The clusters of users, the largest first.
-- One row per cluster.
-- user_share: The share of all users who are in the cluster.
select
    cluster_id,
    label,
    users,
    users / (select count(*) from users) as user_share,
    core_users,
    cohesion,
    top_tags
from clusters
order by cluster_id
