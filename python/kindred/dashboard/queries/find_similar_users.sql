-- The users similar to one user, by similarity after the hub correction, which lowers users who are near to everybody.
-- One row per similar user, in the order of their ranks.
-- cluster: The label of the other user's cluster; empty for a user in no cluster.
select
    similar_users.rank,
    similar_users.similar_user_handle,
    similar_users.similarity,
    similar_users.top_reasons,
    clusters.label as cluster,
    similar_users.cosine_similarity
from similar_users
left join clusters on similar_users.similar_cluster_id = clusters.cluster_id
where similar_users.user_handle = $user_handle
order by similar_users.rank
