-- Facet: the subjects of the courses that users viewed. Each course spreads 1 over its tags, so that a course with many
-- tags counts no more than a course with one.
-- Grain: one row per user, course and course tag.

with

view_evidence as (

    select * from {{ ref('int_view_evidence') }}

),

course_tags as (

    select * from {{ ref('int_course_tags') }}

),

tag_parts as (

    select
        course_id,
        course_tag,
        cast(1 as double) / count(*) over (partition by course_id) as part
    from course_tags

)

select
    view_evidence.user_number,
    view_evidence.course_id,
    tag_parts.course_tag as feature,
    view_evidence.evidence_share * tag_parts.part as occurrences
from view_evidence
inner join tag_parts on view_evidence.course_id = tag_parts.course_id
