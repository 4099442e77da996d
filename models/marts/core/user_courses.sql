-- Which courses each user viewed, how much, and how that fits the user's interests and assessments.
-- Grain: one row per user and course viewed.

with

viewed_courses as not materialized (

    select * from {{ ref('int_user_courses') }}

),

courses as (

    select * from {{ ref('courses') }}

),

course_tags as (

    select * from {{ ref('int_course_tags') }}

),

user_interests as (

    select * from {{ ref('int_user_interests') }}

),

user_assessments as (

    select * from {{ ref('int_user_assessments') }}

),

tag_links as (

    select * from {{ ref('tag_links') }}

),

-- Lists instead of a join by tags: rows for every view and tag would have to be grouped back into views.
interest_lists as (

    select
        user_handle,
        {{ list_of('interest_tag') }} as interest_tags
    from user_interests
    group by user_handle

),

assessment_matches as (

    select
        viewed_courses.user_handle,
        viewed_courses.course_id,
        {{ exact_sum('user_assessments.score') }} / count(*) as user_assessment_score
    from viewed_courses
    inner join course_tags on viewed_courses.course_id = course_tags.course_id
    inner join user_assessments
        on
            viewed_courses.user_handle = user_assessments.user_handle
            and course_tags.course_tag = user_assessments.assessment_tag
    group by viewed_courses.user_handle, viewed_courses.course_id

),

-- What is related to a course's subjects is asked of tag_links once a course, not once a view.
course_links as (

    select
        course_tags.course_id,
        tag_links.other_tag
    from course_tags
    inner join tag_links on course_tags.course_tag = tag_links.tag
    group by course_tags.course_id, tag_links.other_tag

),

course_tag_lists as (

    select
        course_id,
        {{ list_of('course_tag') }} as course_tags
    from course_tags
    group by course_id

),

course_link_lists as (

    select
        course_id,
        {{ list_of('other_tag') }} as other_tags
    from course_links
    group by course_id

),

interest_matches as (

    select
        viewed_courses.user_handle,
        viewed_courses.course_id,
        {{ join_common('course_tag_lists.course_tags', 'interest_lists.interest_tags') }} as interest_tags,
        {{ have_common('course_link_lists.other_tags', 'interest_lists.interest_tags') }} as has_related_interest
    from viewed_courses
    inner join interest_lists on viewed_courses.user_handle = interest_lists.user_handle
    left join course_tag_lists on viewed_courses.course_id = course_tag_lists.course_id
    left join course_link_lists on viewed_courses.course_id = course_link_lists.course_id

),

related_assessment_matches as (

    select distinct
        viewed_courses.user_handle,
        viewed_courses.course_id
    from viewed_courses
    inner join course_links on viewed_courses.course_id = course_links.course_id
    inner join user_assessments
        on
            viewed_courses.user_handle = user_assessments.user_handle
            and course_links.other_tag = user_assessments.assessment_tag
    left join assessment_matches
        on
            viewed_courses.user_handle = assessment_matches.user_handle
            and viewed_courses.course_id = assessment_matches.course_id
    where assessment_matches.course_id is null

),

user_totals as (

    select
        user_handle,
        count(*) as total_user_courses
    from viewed_courses
    group by user_handle

),

user_scores as (

    select
        user_handle,
        {{ exact_sum('score') }} / count(*) as user_avg_assessment_score
    from user_assessments
    group by user_handle

)

select
    viewed_courses.user_handle || '-' || viewed_courses.course_id as user_course_key,
    viewed_courses.user_handle,

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

    -- null where the user follows none of the course's tags
    interest_matches.interest_tags,
    interest_matches.interest_tags is not null as matches_interest,
    interest_matches.interest_tags is not null or coalesce(interest_matches.has_related_interest, false)
        as matches_related_interest,

    -- null where the user was assessed in none of the course's tags, or never
    assessment_matches.user_assessment_score,
    assessment_matches.user_assessment_score is not null as matches_assessment,
    assessment_matches.user_assessment_score is not null or related_assessment_matches.course_id is not null
        as matches_related_assessment,
    user_scores.user_avg_assessment_score
from viewed_courses
inner join courses on viewed_courses.course_id = courses.course_id
inner join user_totals on viewed_courses.user_handle = user_totals.user_handle
left join interest_matches
    on
        viewed_courses.user_handle = interest_matches.user_handle
        and viewed_courses.course_id = interest_matches.course_id
left join assessment_matches
    on
        viewed_courses.user_handle = assessment_matches.user_handle
        and viewed_courses.course_id = assessment_matches.course_id
left join related_assessment_matches
    on
        viewed_courses.user_handle = related_assessment_matches.user_handle
        and viewed_courses.course_id = related_assessment_matches.course_id
left join user_scores on viewed_courses.user_handle = user_scores.user_handle
order by viewed_courses.user_handle, viewed_courses.course_id
