-- How long users usually view a course, and whether the time tells anything. It does if the users of a course agree,
-- more than by chance, on whether it took them longer or shorter than their own courses mostly do. Where times are made
-- up they do not, and time does not count. It is a frozen statistic (int_frozen_statistics).
-- Grain: a single row.

{%- set min_agreement = 0.01 %} {#- with less for sure, times tell nothing: real ones have 0.05 and more #}

{% if statistics_are_frozen() %}
select
    usual_view_seconds,
    view_time_agreement
from {{ this }}
{% else %}
with

user_courses as (

    select * from {{ ref('int_user_courses') }}

),

user_medians as (

    select
        user_number,
        median(total_view_seconds) as median_view_seconds
    from user_courses
    group by user_number

),

course_sides as (

    select
        user_courses.course_id,
        count(*) as users,
        sum(sign(user_courses.total_view_seconds - user_medians.median_view_seconds)) as longer_less_shorter
    from user_courses
    inner join user_medians on user_courses.user_number = user_medians.user_number
    where user_courses.total_view_seconds != user_medians.median_view_seconds
    group by user_courses.course_id

),

-- Each course adds the mean, over its pairs of users, of 1 if both are on the same side and -1 if not; courses count by
-- their users. By chance alone the agreement is 0, with this standard error.
agreement as (

    select
        {{ exact_sum('cast(power(longer_less_shorter, 2) - users as double) / (users - 1)') }}
        / sum(users) as agreement,
        sqrt(2 * {{ exact_sum('cast(users as double) / (users - 1)') }}) / sum(users) as standard_error
    from course_sides
    where users > 1

),

usual as (

    select median(total_view_seconds) as usual_view_seconds
    from user_courses
    where total_view_seconds > 0

)

select
    case
        when agreement.agreement + 2 * agreement.standard_error < {{ min_agreement }} then null
        else usual.usual_view_seconds
    end as usual_view_seconds,
    agreement.agreement as view_time_agreement
from usual
cross join agreement
{% endif %}
