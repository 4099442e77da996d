-- All users who appear in any of the input files, including those who only follow interests.
-- Grain: one row per user.

{%- set top_course_tags = 3 %} {#- course tags in top_course_tags, at most #}

with

all_users as (

    select * from {{ ref('int_users') }}

),

user_clusters as (

    select * from {{ ref('int_user_clusters') }}

),

nearest_users as (

    select
        user_number,
        neighbourhood_similarity
    from {{ ref('int_candidates') }}

),

course_totals as (

    select
        user_number,
        count(*) as total_courses,
        cast(sum(total_views) as bigint) as total_views,
        {{ exact_sum('total_view_seconds') }} as total_view_seconds,
        min(first_view_date) as first_view_date,
        max(last_view_date) as last_view_date
    from {{ ref('int_user_courses') }}
    group by user_number

),

interest_totals as (

    select
        user_number,
        count(*) as total_interests,
        min(first_followed_at) as first_followed_at,
        max(last_followed_at) as last_followed_at
    from {{ ref('int_user_interests') }}
    group by user_number

),

assessment_totals as (

    select
        user_number,
        count(*) as total_assessments,
        {{ exact_sum('score') }} / count(*) as avg_assessment_score,
        max(last_assessed_at) as last_assessed_at
    from {{ ref('int_user_assessments') }}
    group by user_number

),

facet_totals as (

    select
        user_number,
        count(*) filter (where facet = 'authors') as total_authors,
        count(*) filter (where facet = 'course_tags') as total_course_tags
    from {{ ref('int_occurrences') }}
    where facet in ('authors', 'course_tags')
    group by user_number

),

ranked_features as (

    select
        user_number,
        facet,
        feature,
        row_number() over (partition by user_number, facet order by occurrences desc, feature asc) as feature_rank
    from {{ ref('int_occurrences') }}
    where facet in ('course_tags', 'levels')

),

top_tags as (

    select
        user_number,
        {{ list_so_far('feature', 'user_number', 'feature_rank') }} as top_course_tags
    from ranked_features
    where
        facet = 'course_tags'
        and feature_rank <= {{ top_course_tags }}
    qualify lead(feature_rank) over (partition by user_number order by feature_rank) is null

),

main_levels as (

    select
        user_number,
        feature as main_level
    from ranked_features
    where
        facet = 'levels'
        and feature_rank = 1

)

select
    all_users.user_handle,
    user_clusters.cluster_id,
    user_clusters.nearest_cluster_id,
    user_clusters.nearest_cluster_share,
    nearest_users.neighbourhood_similarity,

    -- courses: nulls and zeros for users who viewed none
    coalesce(course_totals.total_courses, 0) as total_courses,
    coalesce(course_totals.total_views, 0) as total_views,
    coalesce(course_totals.total_view_seconds, 0) as total_view_seconds,
    coalesce(facet_totals.total_authors, 0) as total_authors,
    coalesce(facet_totals.total_course_tags, 0) as total_course_tags,
    course_totals.first_view_date,
    course_totals.last_view_date,
    top_tags.top_course_tags,
    main_levels.main_level,

    -- interests: nulls and zeros for users who follow none
    coalesce(interest_totals.total_interests, 0) as total_interests,
    interest_totals.first_followed_at,
    interest_totals.last_followed_at,

    -- assessments: nulls and zeros for users who took none
    coalesce(assessment_totals.total_assessments, 0) as total_assessments,
    assessment_totals.avg_assessment_score,
    assessment_totals.last_assessed_at
from all_users
left join user_clusters on all_users.user_number = user_clusters.user_number
left join nearest_users on all_users.user_number = nearest_users.user_number
left join course_totals on all_users.user_number = course_totals.user_number
left join interest_totals on all_users.user_number = interest_totals.user_number
left join assessment_totals on all_users.user_number = assessment_totals.user_number
left join facet_totals on all_users.user_number = facet_totals.user_number
left join top_tags on all_users.user_number = top_tags.user_number
left join main_levels on all_users.user_number = main_levels.user_number
order by all_users.user_number
