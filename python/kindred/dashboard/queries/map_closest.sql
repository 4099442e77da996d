-- Where the closest users of one user lie on the map: the map draws lines to them.
-- One row per close user, closest first.
select
    similar_users.rank,
    similar_users.similar_user_handle,
    similar_users.similarity,
    user_map.x,
    user_map.y
from similar_users
inner join user_map on similar_users.similar_user_handle = user_map.user_handle
where similar_users.user_handle = $user_handle
order by similar_users.rank
