-- The most active users of a cluster, or of all clusters (cluster -2).
-- One row per user, at most 500.
-- cluster: The label of the user's cluster; empty for a user in no cluster.
select
    users.user_handle,
    clusters.label as cluster,
    users.total_courses,
    users.total_interests,
    users.total_assessments,
    users.top_course_tags
from users
left join clusters on users.cluster_id = clusters.cluster_id
where $cluster_id = -2 or users.cluster_id = $cluster_id
order by users.total_courses desc, users.user_handle asc
limit 500
