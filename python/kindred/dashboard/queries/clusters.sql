-- The clusters of users, the largest first.
-- One row per cluster.
-- user_share: The users who are in it, as a share of all.
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
