-- Interests that users followed; a fully repeated row is one act of following, a later date is another.
-- Grain: one row per user, interest and time.

with

interests as (

    select * from {{ ref('base_user_interests') }}

)

select
    user_handle,
    interest_tag,
    followed_at,
    count(*) as delivered_rows
from interests
where reject_reason is null
group by user_handle, interest_tag, followed_at
