-- The interests that users follow. Fully repeated rows are folded; following a tag again at a later time is a new row.
-- Grain: one row per user, interest and time.

with

interests as (

    select * from {{ ref('base_user_interests') }}

),

single_tags as (

    select
        line_number,
        1 / {{ list_length('interest_tags') }} as row_share,
        user_handle,
        {{ each_item('interest_tags') }} as interest_tag,
        followed_at
    from interests
    where reject_reason is null

)

select
    user_handle,
    interest_tag,
    followed_at,
    {{ exact_sum('row_share') }} as delivered_rows,
    min(line_number) as first_line_number
from single_tags
group by user_handle, interest_tag, followed_at
