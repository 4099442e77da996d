-- Two users who list each other do so with the same similarity, and nobody lists the same user twice.

{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by so much #}

with

similar_users as not materialized (

    select * from {{ ref('similar_users') }}

)

select
    similar_users.user_handle,
    similar_users.similar_user_handle
from similar_users
inner join similar_users as back
    on
        similar_users.user_handle = back.similar_user_handle
        and similar_users.similar_user_handle = back.user_handle
where abs(similar_users.similarity - back.similarity) > {{ rounding }}

union all

select
    user_handle,
    similar_user_handle
from similar_users
group by user_handle, similar_user_handle
having count(*) > 1
