-- What happened to the rows of each input file: read = kept + folded + rejected.
-- Grain: one row per file.

with

rejected_rows as (

    select * from {{ ref('rejected_rows') }}

),

read_rows as (
    {% for file in input_names() -%}
    select
        {{ text_literal(input_label(file)) }} as file,
        count(*) as rows_read
    from {{ ref('base_' ~ file) }}
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
),

kept_rows as (

    select
        {{ text_literal(input_label('course_tags')) }} as file,
        count(distinct first_line_number) as rows_kept,
        coalesce(round(sum(delivered_rows)), 0) - count(distinct first_line_number) as rows_folded,
        cast(null as timestamp) as newest_at
    from {{ ref('stg_course_tags') }}

    union all

    select
        {{ text_literal(input_label('user_assessment_scores')) }} as file,
        count(distinct first_line_number) as rows_kept,
        coalesce(round(sum(delivered_rows)), 0) - count(distinct first_line_number) as rows_folded,
        max(assessed_at) as newest_at
    from {{ ref('stg_user_assessment_scores') }}

    union all

    select
        {{ text_literal(input_label('user_course_views')) }} as file,
        count(*) as rows_kept,
        0 as rows_folded,
        cast(max(view_date) as timestamp) as newest_at
    from {{ ref('stg_user_course_views') }}

    union all

    select
        {{ text_literal(input_label('user_interests')) }} as file,
        count(distinct first_line_number) as rows_kept,
        coalesce(round(sum(delivered_rows)), 0) - count(distinct first_line_number) as rows_folded,
        max(followed_at) as newest_at
    from {{ ref('stg_user_interests') }}

),

rejected_counts as (

    select
        file,
        count(*) as rows_rejected
    from rejected_rows
    group by file

)

select
    read_rows.file,
    read_rows.rows_read,
    kept_rows.rows_kept,
    cast(kept_rows.rows_folded as bigint) as rows_folded,
    coalesce(rejected_counts.rows_rejected, 0) as rows_rejected,
    kept_rows.newest_at
from read_rows
inner join kept_rows on read_rows.file = kept_rows.file
left join rejected_counts on read_rows.file = rejected_counts.file
