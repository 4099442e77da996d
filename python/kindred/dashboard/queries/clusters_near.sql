-- The clusters nearest to one cluster: those that contain users similar to its members.
-- One row per cluster that contains such users, the cluster itself first; -1 stands for no cluster.
-- similar_cluster_id: The cluster of the similar users.
-- label: The label of that cluster.
-- listed_users: How often users of that cluster are in the lists of members.
-- listed_share: The share of all entries in the lists of members.
select
    similar_users.similar_cluster_id,
    case when similar_users.similar_cluster_id = -1 then 'in no cluster' else any_value(clusters.label) end as label,
    count(*) as listed_users,
    count(*) / sum(count(*)) over () as listed_share
from similar_users
inner join users on similar_users.user_handle = users.user_handle
left join clusters on similar_users.similar_cluster_id = clusters.cluster_id
where users.cluster_id = $cluster_id
group by similar_users.similar_cluster_id
order by similar_users.similar_cluster_id = $cluster_id desc, listed_users desc, similar_users.similar_cluster_id asc
