-- Which tags should an owner check? Spellings that a weak rule has merged (are they one subject?), and subjects that
-- were kept apart although their names contain each other or are versions, and the same users have both (are they one
-- after all?). Answers go into seeds/tag_overrides.csv. reach is how many users followed, viewed or were assessed in
-- the subject; for two subjects, the smaller number. Grain: one row per pair of tags in one order, the largest reach
-- first.
-- depends_on: {{ ref('tag_map') }}, {{ ref('tag_links') }}, {{ ref('tags') }}

with

asked as (
    select
        0.85 as max_merge_score,
        0.6 as min_cooccurrence
),

reached as (
    select
        canonical_tag,
        greatest(total_viewers, total_followers, total_assessed_users) as reach
    from tags
),

merged as (
    select
        tag_map.raw_tag as tag,
        tag_map.canonical_tag as other_tag,
        list(tag_map.vocabulary order by tag_map.vocabulary) as vocabularies,
        any_value(tag_map.method) as evidence,
        any_value(tag_map.score) as merge_score,
        any_value(reached.reach) as reach
    from tag_map
    cross join asked
    inner join reached on tag_map.canonical_tag = reached.canonical_tag
    where tag_map.score <= asked.max_merge_score
    group by tag_map.raw_tag, tag_map.canonical_tag
),

kept_apart as (
    select
        tag_links.tag,
        tag_links.other_tag,
        tag_links.reason as evidence,
        tag_links.cooccurrence_score,
        least(reached.reach, other_reached.reach) as reach
    from tag_links
    cross join asked
    inner join reached on tag_links.tag = reached.canonical_tag
    inner join reached as other_reached on tag_links.other_tag = other_reached.canonical_tag
    where
        tag_links.method in ('containment', 'version')
        and tag_links.cooccurrence_score >= asked.min_cooccurrence
        and tag_links.tag < tag_links.other_tag
),

pairs as (
    select
        'merged' as decision,
        merged.tag,
        merged.other_tag,
        merged.vocabularies,
        merged.evidence,
        merged.merge_score,
        null as cooccurrence_score,
        merged.reach
    from merged
    union all
    select
        'kept apart' as decision,
        kept_apart.tag,
        kept_apart.other_tag,
        null as vocabularies,
        kept_apart.evidence,
        null as merge_score,
        kept_apart.cooccurrence_score,
        kept_apart.reach
    from kept_apart
)

select
    decision,
    tag,
    other_tag,
    vocabularies,
    evidence,
    merge_score,
    round(cooccurrence_score, 3) as cooccurrence_score,
    reach
from pairs
order by reach desc, tag asc, other_tag asc
