-- Spellings that were merged into a subject with another name, the least safe first and then the most used. A search
-- finds a part of either name; an empty search, vocabulary or method means all.
-- One row per vocabulary and spelling.
select
    tag_map.raw_tag,
    tag_map.canonical_tag,
    tag_map.vocabulary,
    tag_map.method,
    tag_map.score,
    tag_map.reason,
    tags.total_courses,
    tags.total_followers,
    tags.total_assessed_users
from tag_map
inner join tags on tag_map.canonical_tag = tags.canonical_tag
where
    tag_map.method != 'identical'
    and ($vocabulary = '' or tag_map.vocabulary = $vocabulary)
    and ($method = '' or tag_map.method = $method)
    and (
        contains(lower(tag_map.raw_tag), lower($search))
        or contains(lower(tag_map.canonical_tag), lower($search))
    )
order by
    tag_map.score asc,
    tags.total_viewers + tags.total_followers + tags.total_assessed_users desc,
    tag_map.raw_tag,
    tag_map.vocabulary asc
