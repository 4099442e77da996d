-- Which clusters are nearest to one: where the closest users of its members are.
-- One row per cluster that any of them is in, its own first; -1 is no cluster.
-- similar_cluster_id: The cluster of the closest users.
-- label: What that cluster is about.
-- listed_users: How often a closest user of a member is in it.
-- listed_share: The same as a share of all closest users of members.
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
