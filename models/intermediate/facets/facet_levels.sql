-- Facet: the levels of the courses that users viewed.
-- Grain: one row per user and course with a level.

with

view_evidence as (

    select * from {{ ref('int_view_evidence') }}

)

select
    user_number,
    course_id,
    level as feature,
    evidence_share as occurrences
from view_evidence
where level is not null
