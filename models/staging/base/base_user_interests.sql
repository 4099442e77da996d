-- Followed interests as delivered, typed, with the reason if a row cannot be used.
-- Grain: one row per row of the file.

with

source as (

    select * from {{ raw_input('user_interests') }}

),

column_forms as (

    select * from {{ ref('stg_column_forms') }}
    where input_name = 'user_interests'

),

odd_dates as (

    select * from {{ ref('stg_odd_dates') }}
    where input_name = 'user_interests'

),

formed as (

    select
        source.line_number,
        source.user_handle,
        source.interest_tag,
        source.date_followed,
        source.read_error,
        date_forms.form as date_form,
        coalesce({{ clean_timestamp('source.date_followed') }}, odd_dates.read_at) as dated_at,
        tag_forms.form as tag_separator
    from source
    left join odd_dates on source.date_followed = odd_dates.delivered_date
    left join column_forms as date_forms on date_forms.column_name = 'date_followed'
    left join column_forms as tag_forms on tag_forms.column_name = 'interest_tag'

),

typed as (

    select
        line_number,
        user_handle as delivered_user_handle,
        {{ row_as_text(['user_handle', 'interest_tag', 'date_followed']) }} as delivered_row,
        read_error,
        date_form,

        {{ clean_handle('user_handle', user_handle_type()) }} as user_handle,
        {{ clean_tags('interest_tag', 'tag_separator') }} as interest_tags,
        dated_at as followed_at

    from formed

)

select
    line_number,
    delivered_user_handle,
    delivered_row,
    user_handle,
    interest_tags,
    followed_at,
    case
        when read_error is not null then {{ read_error_reason() }}
        when user_handle is null then {{ reason_of_missing_handle('delivered_user_handle') }}
        when interest_tags is null then 'interest_tag is blank'
        when followed_at is null then {{ date_reason('date_followed') }}
    end as reject_reason
from typed
