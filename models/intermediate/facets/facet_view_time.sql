-- Facet: how long users viewed each course, in multiples of their own median, so that slow and fast users compare. A
-- cap (view_time_max_medians) keeps a window that was left open from counting as interest.
-- Grain: one row per user and course.

with

view_evidence as (

    select * from {{ ref('int_view_evidence') }}

)

select
    user_number,
    course_id,
    course_id as feature,
    least(
        total_view_seconds / median_view_seconds,
        {{ var('view_time_max_medians') }}
    ) as occurrences
from view_evidence
where
    median_view_seconds > 0
    and total_view_seconds > 0
