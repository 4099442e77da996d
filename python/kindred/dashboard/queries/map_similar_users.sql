-- The positions of one user and the similar users on the map, which draws lines between them.
-- One row per user, the user first and then the similar users by rank.
-- rank: 0 for the user, otherwise the rank in the user's list.
-- marked_user_handle: The user, or one of the similar users.
with

marked as (

    select
        0 as rank,
        user_map.user_handle as marked_user_handle,
        cast(null as double) as similarity
    from user_map
    where user_map.user_handle = $user_handle

    union all

    select
        similar_users.rank,
        similar_users.similar_user_handle as marked_user_handle,
        similar_users.similarity
    from similar_users
    where similar_users.user_handle = $user_handle

)

select
    marked.rank,
    marked.marked_user_handle,
    marked.similarity,
    user_map.x,
    user_map.y
from marked
inner join user_map on marked.marked_user_handle = user_map.user_handle
order by marked.rank
