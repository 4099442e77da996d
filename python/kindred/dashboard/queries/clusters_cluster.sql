-- One cluster: how large it is and how close its members are.
-- A single row.
-- user_share: The users who are in it, as a share of all.
-- core_share: The members who are core users: those who hold the cluster together.
-- outside_users: Users in no cluster whose nearest cluster it is.
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
