-- Facet: the courses that users viewed, by how much the view is evidence.
-- Grain: one row per user and course.

with

view_evidence as (

    select * from {{ ref('int_view_evidence') }}

)

select
    user_number,
    course_id,
    course_id as feature,
    evidence_share as occurrences
from view_evidence
