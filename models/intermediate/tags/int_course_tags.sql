-- Tags of the courses in their canonical spelling.
-- Grain: one row per course and canonical tag; courses without a tag have none.

with

course_tags as (

    select * from {{ ref('stg_course_tags') }}

),

tag_map as (

    select * from {{ ref('int_tag_map') }}

)

select distinct
    course_tags.course_id,
    tag_map.canonical_tag as course_tag
from course_tags
inner join tag_map
    on
        course_tags.course_tag = tag_map.raw_tag
        and tag_map.vocabulary = 'course'
