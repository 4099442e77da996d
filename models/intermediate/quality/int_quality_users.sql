-- The users that hold-outs measure: all, or a sample of quality_max_users to bound the cost; none if quality_splits is
-- 0.
-- Grain: one row per user.

with

users as (

    select * from {{ ref('int_users') }}

)

select
    user_number,
    tie_key
from users
where {{ var('quality_splits') }} > 0
order by md5('{{ var("quality_seed") }} ' || cast(user_handle as varchar)), user_number
limit {{ var('quality_max_users') }}
