-- The position of every user on the map, with the text of the tooltip. Users near each other are alike; the distance
-- between far users means little. If there are too many users to draw, those of the selected cluster come first and the
-- others are chosen at random, the same ones each time.
-- One row per user.
-- label: The label of the user's cluster; empty for a user in no cluster.
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
