-- Every user's place on the map, with what the map tells of the user. Near means alike; how far two distant users are
-- from each other means little. Of more users than can be shown, those of the chosen cluster, and of the others some by
-- lot, the same ones each time.
-- One row per user.
-- label: What the user's cluster is about; empty for a user in none.
select
    user_map.user_handle,
    user_map.x,
    user_map.y,
    user_map.cluster_id,
    clusters.label,
    users.top_course_tags
from user_map
inner join users on user_map.user_handle = users.user_handle
left join clusters on user_map.cluster_id = clusters.cluster_id
qualify row_number() over (order by user_map.cluster_id != $cluster_id, hash(user_map.user_handle)) <= $shown_users
order by user_map.user_handle
