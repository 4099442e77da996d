-- The cluster of every user, and the nearest cluster of users who are in none.
-- Grain: one row per user.

with

user_clusters as (

    select * from {{ ref('int_user_clusters') }}

)

select
    user_handle,
    cluster_id,
    is_core,
    linked_users,
    nearest_cluster_id,
    nearest_cluster_share
from user_clusters
order by user_handle
