-- What one user did, from the table users.
-- A single row; no row if the user does not exist.
-- cluster: The label of the user's cluster; empty for a user in no cluster.
-- nearest_cluster: The label of the cluster that contains most of the users near this one: a guess for a user in none.
-- hours_viewed: The length of all views of courses, in hours.
select
    users.user_handle,
    users.cluster_id,
    clusters.label as cluster,
    nearest_clusters.label as nearest_cluster,
    users.total_courses,
    users.total_view_seconds / 3600 as hours_viewed,
    users.total_interests,
    users.total_assessments,
    users.avg_assessment_score,
    users.main_level,
    users.top_course_tags,
    users.last_view_date
from users
left join clusters on users.cluster_id = clusters.cluster_id
left join clusters as nearest_clusters on users.nearest_cluster_id = nearest_clusters.cluster_id
where users.user_handle = $user_handle
