-- The cluster of every user, and the nearest cluster of users who are in none.
-- Grain: one row per user.

with

user_clusters as (

    select * from {{ ref('int_user_clusters') }}

),

users as (

    select * from {{ ref('int_users') }}

)

select
    users.user_handle,
    user_clusters.cluster_id,
    user_clusters.is_core,
    user_clusters.linked_users,
    user_clusters.nearest_cluster_id,
    user_clusters.nearest_cluster_share
from user_clusters
inner join users on user_clusters.user_number = users.user_number
order by users.user_handle
