-- Facet: the courses that users viewed, to be matched with the predicted next courses of others (facet_next_courses).
-- Grain: one row per user and course.

with

view_evidence as (

    select * from {{ ref('int_view_evidence') }}

)

select
    user_handle,
    course_id,
    course_id as feature,
    evidence_share as occurrences
from view_evidence
