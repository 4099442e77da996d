-- The tags of every course. A course without a tag has one row with a null tag, so that it is not lost.
-- Grain: one row per course and tag.

with

course_tags as (

    select * from {{ ref('base_course_tags') }}

)

select
    course_id,
    course_tag,
    count(*) as delivered_rows
from course_tags
where reject_reason is null
group by course_id, course_tag
