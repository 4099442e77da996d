-- Followed interests as delivered, typed, with the reason if a row cannot be used.
-- Grain: one row per row of the file.

with

source as (

    select * from {{ raw_input('user_interests') }}

),

typed as (

    select
        line_number,
        user_handle as delivered_user_handle,
        {{ row_as_text(['user_handle', 'interest_tag', 'date_followed']) }} as delivered_row,
        read_error,

        {{ clean_integer('user_handle') }} as user_handle,
        {{ clean_text('interest_tag') }} as interest_tag,
        {{ clean_timestamp('date_followed') }} as followed_at

    from source

)

select
    line_number,
    delivered_user_handle,
    delivered_row,
    user_handle,
    interest_tag,
    followed_at,
    case
        when read_error is not null then 'line cannot be split into columns'
        when user_handle is null or user_handle < 1 then 'user_handle is not a whole number of 1 or more'
        when interest_tag is null then 'interest_tag is blank'
        when followed_at is null then 'date_followed is not a date'
    end as reject_reason
from typed
