-- The courses that each user viewed, how much, and how they fit the user's interests and assessments.
-- Grain: one row per user and course viewed.

with

users as (

    select * from {{ ref('int_users') }}

),

viewed_courses as not materialized (

    select * from {{ ref('int_user_courses') }}

),

courses as (

    select * from {{ ref('courses') }}

),

user_assessments as (

    select * from {{ ref('int_user_assessments') }}

),

matched_interests as (

    select * from {{ ref('int_matched_interests') }}

),

matched_assessments as (

    select * from {{ ref('int_matched_assessments') }}

),

user_totals as (

    select
        user_number,
        count(*) as total_user_courses
    from viewed_courses
    group by user_number

),

user_scores as (

    select
        user_number,
        {{ exact_sum('score') }} / count(*) as user_avg_assessment_score
    from user_assessments
    group by user_number

)

select
    {{ key_of_two('users.user_handle', 'viewed_courses.course_id') }} as user_course_key,
    users.user_handle,

    -- the course
    viewed_courses.course_id,
    courses.course_tags,
    viewed_courses.author_handle,
    viewed_courses.level,

    -- the user's views of it
    viewed_courses.first_view_date,
    viewed_courses.last_view_date,
    viewed_courses.total_views,
    viewed_courses.total_view_seconds / viewed_courses.total_views as avg_view_seconds,
    viewed_courses.total_view_seconds,
    user_totals.total_user_courses,

    -- null if the user follows none of the course's tags
    matched_interests.interest_tags,
    matched_interests.interest_tags is not null as matches_interest,
    matched_interests.course_id is not null as matches_related_interest,

    -- null if the user was assessed in none of the course's tags, or never
    matched_assessments.user_assessment_score,
    matched_assessments.user_assessment_score is not null as matches_assessment,
    matched_assessments.course_id is not null as matches_related_assessment,
    user_scores.user_avg_assessment_score
from viewed_courses
inner join users on viewed_courses.user_number = users.user_number
inner join courses on viewed_courses.course_id = courses.course_id
inner join user_totals on viewed_courses.user_number = user_totals.user_number
left join matched_interests
    on
        viewed_courses.user_number = matched_interests.user_number
        and viewed_courses.course_id = matched_interests.course_id
left join matched_assessments
    on
        viewed_courses.user_number = matched_assessments.user_number
        and viewed_courses.course_id = matched_assessments.course_id
left join user_scores on viewed_courses.user_number = user_scores.user_number
order by viewed_courses.user_number, viewed_courses.course_id
