-- Which courses lead to which: how strongly a view of one course makes a view of another likely.
-- Grain: one row per course and next course.

with

course_relations as (

    select * from {{ ref('int_course_relations') }}

)

select
    course_id,
    next_course_id,
    strength
from course_relations
