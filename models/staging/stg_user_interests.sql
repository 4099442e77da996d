-- The interests that users follow. Fully repeated rows are folded; following a tag again at a later time is a new row.
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
