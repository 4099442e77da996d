-- How the values of a column are written where one value alone does not tell: the form of its dates, or the sign
-- between its tags. All values of the column decide, or the vars date_forms and tag_separators.
-- Grain: one row per column of dates, and per column of tags that are separated by a sign.

with

delivered_dates as (
    {% for input_name, column in date_columns().items() %}
    select
        '{{ input_name }}' as input_name,
        '{{ column }}' as column_name,
        {{ without_blanks(column) }} as date_text
    from {{ raw_input(input_name) }}
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
),

written_dates as (

    select
        input_name,
        column_name,
        {{ written_date_form('date_text') }} as written_form,
        {{ number_in_date('date_text', 1) }} as first_number,
        {{ number_in_date('date_text', 2) }} as second_number
    from delivered_dates

),

-- A number above 12 is a day and no month. It takes a hundred of them to overrule one in the other place.
counted_forms as (

    select
        input_name,
        column_name,
        written_form,
        count(*) as total_values,
        count(*) filter (where first_number > 12 and second_number <= 12) as total_days_first,
        count(*) filter (where second_number > 12 and first_number <= 12) as total_days_second,
        count(*) filter (where first_number != second_number) as total_unlike_numbers
    from written_dates
    where written_form is not null
    group by input_name, column_name, written_form

),

named_forms as (

    select
        input_name,
        column_name,
        total_values,
        written_form = 'YYYY-MM-DD' as is_iso,
        total_unlike_numbers > 0 and total_days_first = 0 and total_days_second = 0 as has_no_certain_day,
        substr(written_form, 3, 1) as sign,
        case
            when written_form not like '##%' then written_form
            when total_days_second > 100 * total_days_first then 'MM' || sign || 'DD' || sign || 'YYYY'
            when total_days_first > 100 * total_days_second or total_unlike_numbers = 0
                then 'DD' || sign || 'MM' || sign || 'YYYY'
            else 'DD' || sign || 'MM' || sign || 'YYYY or MM' || sign || 'DD' || sign || 'YYYY'
        end as form
    from counted_forms

),

commonest_forms as (

    select
        input_name,
        column_name,
        form,
        has_no_certain_day
    from named_forms
    qualify
        row_number() over (
            partition by input_name, column_name
            order by total_values desc, is_iso desc, form asc
        ) = 1

),

date_columns as (
    {% for input_name, column in date_columns().items() %}
    select
        '{{ input_name }}' as input_name,
        '{{ column }}' as column_name,
        {{ text_literal((var('date_forms') or {}).get(column)) }} as demanded_form
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
),

date_forms as (

    select
        date_columns.input_name,
        date_columns.column_name,
        case
            when date_columns.demanded_form is not null then date_columns.demanded_form
            when commonest_forms.has_no_certain_day
                then {{ fail(
                    "'The column ' || date_columns.column_name || ' of ' || date_columns.input_name || ' may be "
                    ~ "' || commonest_forms.form || ': no number in it is above 12. Say which in the var date_forms, "
                    ~ "such as {' || date_columns.column_name || ': ' || left(commonest_forms.form, 10) || '}.'"
                ) }}
            else coalesce(commonest_forms.form, 'YYYY-MM-DD')
        end as form
    from date_columns
    left join commonest_forms
        on
            date_columns.input_name = commonest_forms.input_name
            and date_columns.column_name = commonest_forms.column_name

),

delivered_tags as (
    {% for input_name, column in tag_columns().items() %}
    select
        '{{ input_name }}' as input_name,
        '{{ column }}' as column_name,
        {{ column }} as tag_text
    from {{ raw_input(input_name) }}
    where {{ column }} is not null
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
),

separators as (

    select {{ each_item(list_literal(var('tag_separators'))) }} as sign

),

-- A sign that is in at least a tenth of the values separates tags; one that is in fewer is a part of some.
tag_forms as (

    select
        delivered_tags.input_name,
        delivered_tags.column_name,
        separators.sign as form
    from delivered_tags
    cross join separators
    group by delivered_tags.input_name, delivered_tags.column_name, separators.sign
    having count(*) filter (where contains(delivered_tags.tag_text, separators.sign)) >= 0.1 * count(*)
    qualify
        row_number() over (
            partition by delivered_tags.input_name, delivered_tags.column_name
            order by
                count(*) filter (where contains(delivered_tags.tag_text, separators.sign)) desc,
                separators.sign asc
        ) = 1

)

select
    input_name,
    column_name,
    form
from date_forms

union all

select
    input_name,
    column_name,
    form
from tag_forms
