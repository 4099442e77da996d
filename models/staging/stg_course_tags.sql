-- The tags of every course. A course without a tag has one row with a null tag, so that it is not lost.
-- Grain: one row per course and tag.

with

course_tags as (

    select * from {{ ref('base_course_tags') }}

),

single_tags as (

    select
        line_number,
        1 / {{ list_length('course_tags') }} as row_share,
        course_id,
        {{ each_item('course_tags') }} as course_tag
    from course_tags
    where reject_reason is null

)

select
    course_id,
    course_tag,
    {{ exact_sum('row_share') }} as delivered_rows,
    min(line_number) as first_line_number
from single_tags
group by course_id, course_tag
