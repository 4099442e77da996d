-- Facet: the courses that a user's own courses lead to and that the user has not viewed, by how strongly they do.
-- Grain: one row per user and course.

with

next_courses as (

    select * from {{ ref('int_next_courses') }}

),

viewed_courses as (

    select * from {{ ref('int_viewed_courses') }}

)

-- Nothing that the user viewed: the hold-outs of int_hold_out_quality find these courses anew from what they leave.
select
    next_courses.user_handle,
    cast(null as varchar) as course_id,
    viewed_courses.course_id as feature,
    next_courses.strength as occurrences
from next_courses
inner join viewed_courses on next_courses.course_number = viewed_courses.course_number
