-- Facet: the predicted next courses of a user, which the user's own courses lead to, by how strongly they do.
-- Grain: one row per user and course.

with

next_courses as (

    select * from {{ ref('int_next_courses') }}

),

viewed_courses as (

    select * from {{ ref('int_viewed_courses') }}

)

-- These are not views, so course_id is null: the hold-outs of int_hold_out_quality predict next courses again.
select
    next_courses.user_number,
    cast(null as varchar) as course_id,
    viewed_courses.course_id as feature,
    next_courses.strength as occurrences
from next_courses
inner join viewed_courses on next_courses.course_number = viewed_courses.course_number
