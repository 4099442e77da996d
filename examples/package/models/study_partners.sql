-- For each member the three most similar other members, and why.
-- Grain: one row per member and rank.

with

similar_users as (

    select * from {{ ref('kindred', 'similar_users') }}

),

users as (

    select * from {{ ref('users') }}

)

select
    users.member,
    similar_users.rank,
    similar_users.similar_user_handle as partner,
    similar_users.similarity,
    similar_users.top_reasons
from users
inner join similar_users on users.member = similar_users.user_handle
where similar_users.rank <= 3
