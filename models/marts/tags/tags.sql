-- Every subject, by its canonical tag, and where it occurs.
-- Grain: one row per canonical tag.

with

tag_map as (

    select * from {{ ref('tag_map') }}

),

course_totals as (

    select
        course_tag,
        count(*) as total_courses
    from {{ ref('int_course_tags') }}
    group by course_tag

),

viewer_totals as (

    select
        feature as course_tag,
        count(*) as total_viewers
    from {{ ref('int_occurrences') }}
    where facet = 'course_tags'
    group by feature

),

follower_totals as (

    select
        interest_tag,
        count(*) as total_followers
    from {{ ref('int_user_interests') }}
    group by interest_tag

),

assessment_totals as (

    select
        assessment_tag,
        count(*) as total_assessed_users,
        {{ exact_sum('score') }} / count(*) as avg_assessment_score
    from {{ ref('int_user_assessments') }}
    group by assessment_tag

),

link_totals as (

    select
        tag,
        count(*) as total_links
    from {{ ref('tag_links') }}
    group by tag

),

interest_bundles as (

    select * from {{ ref('int_interest_bundles') }}

),

spellings as (

    select
        canonical_tag,
        count(distinct raw_tag) as total_spellings
    from tag_map
    group by canonical_tag

)

select
    spellings.canonical_tag,
    spellings.total_spellings,
    coalesce(link_totals.total_links, 0) as total_links,
    coalesce(course_totals.total_courses, 0) as total_courses,
    coalesce(viewer_totals.total_viewers, 0) as total_viewers,
    coalesce(follower_totals.total_followers, 0) as total_followers,
    -- null for a tag that nobody follows
    interest_bundles.bundle as interest_bundle,
    coalesce(assessment_totals.total_assessed_users, 0) as total_assessed_users,
    assessment_totals.avg_assessment_score
from spellings
left join link_totals on spellings.canonical_tag = link_totals.tag
left join course_totals on spellings.canonical_tag = course_totals.course_tag
left join viewer_totals on spellings.canonical_tag = viewer_totals.course_tag
left join follower_totals on spellings.canonical_tag = follower_totals.interest_tag
left join interest_bundles on spellings.canonical_tag = interest_bundles.interest_tag
left join assessment_totals on spellings.canonical_tag = assessment_totals.assessment_tag
order by spellings.canonical_tag
