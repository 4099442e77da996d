-- Users in no cluster whose nearest cluster is this one, the nearest first. They do not belong to it: this is a guess.
-- One row per user, at most 200.
select
    user_handle,
    nearest_cluster_share,
    total_courses,
    total_interests,
    total_assessments,
    top_course_tags
from users
where
    cluster_id = -1
    and nearest_cluster_id = $cluster_id
order by nearest_cluster_share desc, total_courses desc, user_handle asc
limit 200
