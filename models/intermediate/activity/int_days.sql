-- The days from the first to the last on which users viewed or were assessed in anything: the calendar of the metrics.
-- Grain: one row per day, without gaps.

with

course_views as (

    select * from {{ ref('course_views') }}

),

user_assessments as (

    select * from {{ ref('user_assessments') }}

),

active_days as (

    select view_date as active_date
    from course_views

    union

    select cast(assessed_at as date) as active_date
    from user_assessments

),

ends as (

    select
        min(active_date) as first_date,
        max(active_date) as last_date
    from active_days

)

select {{ each_day('first_date', 'last_date') }} as day_date
from ends
