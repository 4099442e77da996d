-- Facet: the authors whose courses users viewed.
-- Grain: one row per user and course with an author.

with

view_evidence as (

    select * from {{ ref('int_view_evidence') }}

)

select
    user_number,
    course_id,
    cast(author_handle as varchar) as feature,
    evidence_share as occurrences
from view_evidence
where author_handle is not null
