-- What delivered dates mean that are no plain ISO dates: those with a zone, and those in the other form of their
-- column. Times are in UTC.
-- Grain: one row per input and delivered text.

with

column_forms as (

    select * from {{ ref('stg_column_forms') }}

),

delivered_dates as (
    {% for input_name, column in date_columns().items() %}
    select distinct
        '{{ input_name }}' as input_name,
        '{{ column }}' as column_name,
        {{ column }} as delivered_date,
        {{ without_blanks(column) }} as date_text
    from {{ raw_input(input_name) }}
    where {{ column }} is not null and {{ clean_timestamp(column) }} is null
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
),

written_dates as (

    select
        delivered_dates.input_name,
        delivered_dates.delivered_date,
        delivered_dates.date_text,
        column_forms.form,
        {{ written_date_form('delivered_dates.date_text') }} as written_form
    from delivered_dates
    inner join column_forms
        on
            delivered_dates.input_name = column_forms.input_name
            and delivered_dates.column_name = column_forms.column_name

),

-- ISO is read in every column, all else in the column's form only.
readable_dates as (

    select
        input_name,
        delivered_date,
        date_text,
        written_form = 'YYYY-MM-DD' as is_iso,
        form,
        try_cast(date_text as double) as number
    from written_dates
    where written_form in ('YYYY-MM-DD', form, regexp_replace(form, 'DD|MM', '##', 'g'))

),

iso_dates as (

    select
        input_name,
        delivered_date,
        case
            when is_iso then regexp_replace(date_text, '^([0-9]{4})[-/. ]([0-9]+)[-/. ]([0-9]+)', '\1-\2-\3')
            when form = 'YYYYMMDD'
                then {{ spaced_out("date_text") }}
            when form = 'DD Mon YYYY' then {{ iso_text_of_named_month('date_text') }}
            when form = 'days since 1970-01-01' then {{ text_of_epoch('number * 86400e6') }}
            when form = 'spreadsheet days' then {{ text_of_epoch('round((number - 25569) * 86400e3) * 1e3') }}
            when form = 'epoch seconds' then {{ text_of_epoch('number * 1e6') }}
            when form = 'epoch milliseconds' then {{ text_of_epoch('number * 1e3') }}
            when form = 'epoch microseconds' then {{ text_of_epoch('number') }}
            when form = 'epoch nanoseconds' then {{ text_of_epoch('number / 1e3') }}
            when form like 'DD%' then regexp_replace(date_text, '^([0-9]+)[./-] ?([0-9]+)[./-] ?([0-9]+)', '\3-\2-\1')
            when form like 'MM%' then regexp_replace(date_text, '^([0-9]+)[./-] ?([0-9]+)[./-] ?([0-9]+)', '\3-\1-\2')
        end as iso_text
    from readable_dates

),

times_of_day as (

    select
        input_name,
        delivered_date,
        regexp_extract(iso_text, '^[0-9]+-[0-9]+-[0-9]+') as day_text,
        {{ plain_time_of_day("regexp_replace(iso_text, '^[0-9]+-[0-9]+-[0-9]+(,? +|[Tt])?', '')") }} as time_text
    from iso_dates

),

times as (

    select
        input_name,
        delivered_date,
        case
            when time_text = '' then try_cast(day_text as timestamp)
            when regexp_matches(time_text, '^[0-9:]+[aApP]M$') then {{ twelve_hour_timestamp('day_text', 'time_text') }}
            when regexp_matches(time_text, '[^0-9:.]') then {{ utc_timestamp("day_text || ' ' || time_text") }}
            else try_cast(day_text || ' ' || time_text as timestamp)
        end as read_at
    from times_of_day

)

select
    input_name,
    delivered_date,
    read_at
from times
where read_at >= timestamp '1900-01-01' and read_at < timestamp '2200-01-01'
