-- Where do users follow a subject and view nothing of it? This is demand without supply if there are few courses, or
-- courses that are not found if there are many. Grain: one row per subject with at least min_followers followers.
-- depends_on: {{ ref('tags') }}, {{ ref('user_courses') }}

with

asked as (
    select 20 as min_followers
),

matched as (
    select
        user_handle,
        unnest(interest_tags) as tag
    from user_courses
    where matches_interest
),

fulfilled as (
    select
        tag,
        count(distinct user_handle) as followers_who_viewed
    from matched
    group by tag
)

select
    tags.canonical_tag as tag,
    tags.total_courses,
    tags.total_viewers,
    tags.total_followers,
    coalesce(fulfilled.followers_who_viewed, 0) as followers_who_viewed,
    tags.total_followers - coalesce(fulfilled.followers_who_viewed, 0) as followers_without_a_view,
    round(1 - coalesce(fulfilled.followers_who_viewed, 0) / tags.total_followers, 3) as unmet_share
from tags
cross join asked
left join fulfilled on tags.canonical_tag = fulfilled.tag
where tags.total_followers >= asked.min_followers
order by followers_without_a_view desc, tag asc
