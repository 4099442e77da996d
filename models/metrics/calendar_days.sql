-- The calendar of the metrics: every day from the first to the last on which a user viewed a course or was assessed.
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

first_and_last_day as (

    select
        min(active_date) as first_date,
        max(active_date) as last_date
    from active_days

)

select {{ each_day('first_date', 'last_date') }} as day_date
from first_and_last_day
