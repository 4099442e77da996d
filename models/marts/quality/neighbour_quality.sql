-- How good the lists of neighbours are, measured from the data itself in every build.
-- Grain: one row per measure and variant.

{%- set compared_users = 2000 %}   {#- users whose pairs are compared by course tags #}
{%- set compared_neighbours = 5 %} {#- pairs of each of these users #}
{%- set tied_within = 1e-9 %}      {#- similarities that differ by less are equal #}
{%- set no_users = "'There are no users.'" %}
{%- set no_lists = "'No user has similar users.'" %}
{%- set shared_facets = [] -%}
{%- for facet in evidence_facets() if facet.matching_facet_number == facet.facet_number -%}
{%- do shared_facets.append(facet.facet ~ '_part') -%}
{%- endfor %}

with

users as (

    select * from {{ ref('int_users') }}

),

similar_users as (

    select * from {{ ref('similar_users') }}

),

occurrences as (

    select * from {{ ref('int_occurrences') }}
    where facet = 'course_tags'

),

hold_out_quality as (

    select * from {{ ref('int_hold_out_quality') }}

),

quality_measures as (

    select * from {{ ref('stg_quality_measures') }}

),

course_tags as (

    select
        users.user_handle,
        occurrences.feature
    from occurrences
    inner join users on occurrences.user_number = users.user_number

),

user_lists as (

    select
        user_handle,
        count(*) as neighbours,
        min(similarity) as min_similarity,
        max(similarity) as max_similarity
    from similar_users
    group by user_handle

),

listings as (

    select
        users.user_handle,
        count(similar_users.user_handle) as listed_by
    from users
    left join similar_users on users.user_handle = similar_users.similar_user_handle
    group by users.user_handle

),

list_shares as (

    select
        avg(case when user_lists.neighbours > 0 then 1.0 else 0.0 end) as with_neighbours,
        avg(case when user_lists.neighbours = {{ var('top_k') }} then 1.0 else 0.0 end) as full_list,
        avg(case
            when
                user_lists.neighbours > 1
                and user_lists.max_similarity - user_lists.min_similarity < {{ tied_within }} then 1.0
            else 0.0
        end) as all_tied
    from users
    left join user_lists on users.user_handle = user_lists.user_handle

),

mutual as (

    select avg(case when back.user_handle is null then 0.0 else 1.0 end) as mutual_share
    from similar_users
    left join similar_users as back
        on
            similar_users.user_handle = back.similar_user_handle
            and similar_users.similar_user_handle = back.user_handle

),

hubness as (

    select
        -- Users who are all listed equally often are not skewed; the formula divides by zero there.
        case when min(listed_by) = max(listed_by) then 0 else skewness(listed_by) end as skew,
        max(listed_by) as max_lists,
        avg(case when listed_by = 0 then 1.0 else 0.0 end) as never_listed
    from listings

),

-- Only what both users of a pair have: without predicted next courses and without the cluster.
pairs_in_common as (

    select {{ within_0_and_1('(' ~ (shared_facets | join(' + ') or '0.0') ~ ') / similarity') }} as share_in_common
    from similar_users

),

-- Users with courses in an arbitrary order: neighbours in this order are random pairs.
shuffled as (

    select
        user_handle,
        row_number() over (order by md5(cast(user_handle as varchar)), user_handle) as shuffled_rank
    from course_tags
    group by user_handle

),

compared_pairs as (

    select
        'closest_users' as variant,
        similar_users.user_handle,
        similar_users.similar_user_handle as other_handle
    from similar_users
    inner join shuffled on similar_users.user_handle = shuffled.user_handle
    inner join shuffled as other on similar_users.similar_user_handle = other.user_handle
    where
        similar_users.rank <= {{ compared_neighbours }}
        and shuffled.shuffled_rank <= {{ compared_users }}

    union all

    select
        'random_users' as variant,
        shuffled.user_handle,
        other.user_handle as other_handle
    from shuffled
    inner join shuffled as other
        on other.shuffled_rank between shuffled.shuffled_rank + 1 and shuffled.shuffled_rank + {{ compared_neighbours }}
    where shuffled.shuffled_rank <= {{ compared_users }}

),

shared_tags as (

    select
        compared_pairs.variant,
        compared_pairs.user_handle,
        compared_pairs.other_handle,
        count(other_tags.feature) as tags
    from compared_pairs
    inner join course_tags on compared_pairs.user_handle = course_tags.user_handle
    left join course_tags as other_tags
        on
            compared_pairs.other_handle = other_tags.user_handle
            and course_tags.feature = other_tags.feature
    group by compared_pairs.variant, compared_pairs.user_handle, compared_pairs.other_handle

),

pair_kinds as (

    select
        'closest_users' as variant,
        'No two similar users have both viewed courses with tags.' as missing_reason

    union all

    select
        'random_users' as variant,
        'Fewer than two users have viewed courses with tags.' as missing_reason

),

measured as (

    select
        'users_with_neighbours_share' as measure,
        'similar_users' as variant,
        with_neighbours as value,
        {{ no_users }} as missing_reason
    from list_shares

    union all

    select
        'users_with_full_list_share' as measure,
        'similar_users' as variant,
        full_list as value,
        {{ no_users }} as missing_reason
    from list_shares

    union all

    select
        'users_with_tied_neighbours_share' as measure,
        'similar_users' as variant,
        all_tied as value,
        {{ no_users }} as missing_reason
    from list_shares

    union all

    select
        'mutual_pairs_share' as measure,
        'similar_users' as variant,
        mutual_share as value,
        {{ no_lists }} as missing_reason
    from mutual

    union all

    select
        'hubness_skew' as measure,
        'similar_users' as variant,
        skew as value,
        {{ no_users }} as missing_reason
    from hubness

    union all

    select
        'hubness_max_lists' as measure,
        'similar_users' as variant,
        max_lists as value,
        {{ no_users }} as missing_reason
    from hubness

    union all

    select
        'unlisted_users_share' as measure,
        'similar_users' as variant,
        never_listed as value,
        {{ no_users }} as missing_reason
    from hubness

    union all

    select
        'closest_user_mean_similarity' as measure,
        'similar_users' as variant,
        {{ exact_sum('similarity') }} / nullif(count(*), 0) as value,
        {{ no_lists }} as missing_reason
    from similar_users
    where rank = 1

    union all

    select
        'closest_user_mean_plain_cosine' as measure,
        'similar_users' as variant,
        {{ exact_sum('cosine_similarity') }} / nullif(count(*), 0) as value,
        {{ no_lists }} as missing_reason
    from similar_users
    where rank = 1

    union all

    select
        'similarity_in_common_mean_share' as measure,
        'similar_users' as variant,
        {{ exact_sum('share_in_common') }} / nullif(count(*), 0) as value,
        {{ no_lists }} as missing_reason
    from pairs_in_common

    union all

    select
        'pairs_with_common_course_tag_share' as measure,
        pair_kinds.variant,
        avg(case when shared_tags.tags > 0 then 1.0 when shared_tags.tags = 0 then 0.0 end) as value,
        pair_kinds.missing_reason
    from pair_kinds
    left join shared_tags on pair_kinds.variant = shared_tags.variant
    group by pair_kinds.variant, pair_kinds.missing_reason

),

all_measures as (

    select
        measure,
        variant,
        value,
        cast(null as double) as interval_low,
        cast(null as double) as interval_high,
        missing_reason
    from measured

    union all

    select
        measure,
        variant,
        value,
        interval_low,
        interval_high,
        missing_reason
    from hold_out_quality

)

select
    all_measures.measure,
    quality_measures.label,
    all_measures.variant,
    all_measures.value,
    all_measures.interval_low,
    all_measures.interval_high,
    case when all_measures.value is null then all_measures.missing_reason end as missing_reason,
    quality_measures.unit,
    quality_measures.direction,
    quality_measures.meaning
from all_measures
left join quality_measures on all_measures.measure = quality_measures.measure
