-- One cluster: its size, and how similar its members are.
-- A single row.
-- user_share: The share of all users who are in the cluster.
-- core_share: The share of members who are core users, who hold the cluster together.
-- outside_users: The number of users in no cluster whose nearest cluster is this one.
select
    cluster_id,
    label,
    users,
    users / (select count(*) from users) as user_share,
    core_users,
    core_users / users as core_share,
    cohesion,
    top_tags,
    (
        select count(*)
        from users as outside
        where
            outside.cluster_id = -1
            and outside.nearest_cluster_id = $cluster_id
    ) as outside_users
from clusters
where cluster_id = $cluster_id
