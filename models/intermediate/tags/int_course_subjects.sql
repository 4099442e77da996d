-- What courses are about, and what tag_links relates to that: asked of tag_links once a course, not once a view.
-- Grain: one row per course and canonical tag.

with

course_tags as (

    select * from {{ ref('int_course_tags') }}

),

tag_links as (

    select * from {{ ref('int_tag_links') }}

),

subjects as (

    select
        course_id,
        course_tag as tag,
        1 as is_own
    from course_tags

    union all

    select
        course_tags.course_id,
        tag_links.other_tag as tag,
        0 as is_own
    from course_tags
    inner join tag_links on course_tags.course_tag = tag_links.tag

)

select
    course_id,
    tag,
    max(is_own) = 1 as is_course_tag
from subjects
group by course_id, tag
