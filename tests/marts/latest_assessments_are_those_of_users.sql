-- Every user's latest assessments are as many, on average as good and as late as the table users says.

{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by so much #}

with

users as (

    select * from {{ ref('users') }}

),

user_assessments as (

    select * from {{ ref('user_assessments') }}
    where is_latest

),

latest_assessments as (

    select
        user_handle,
        count(*) as total_assessments,
        avg(score) as avg_assessment_score,
        max(assessed_at) as last_assessed_at
    from user_assessments
    group by user_handle

)

select
    coalesce(users.user_handle, latest_assessments.user_handle) as user_handle,
    users.total_assessments,
    latest_assessments.total_assessments as total_latest_assessments
from users
full outer join latest_assessments on users.user_handle = latest_assessments.user_handle
where
    users.user_handle is null
    or users.total_assessments != coalesce(latest_assessments.total_assessments, 0)
    or users.last_assessed_at is distinct from latest_assessments.last_assessed_at
    or abs(users.avg_assessment_score - latest_assessments.avg_assessment_score)
    > {{ rounding }} * users.avg_assessment_score
