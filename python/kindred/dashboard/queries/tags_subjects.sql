-- Subjects with the searched text in any spelling. The most used come first, by the number of users who viewed, follow
-- or were assessed.
-- One row per subject.
select
    tags.canonical_tag,
    tags.total_spellings,
    tags.total_links,
    tags.total_courses,
    tags.total_viewers,
    tags.total_followers,
    tags.total_assessed_users,
    tags.avg_assessment_score
from tags
where
    contains(lower(tags.canonical_tag), lower($search))
    or tags.canonical_tag in (
        select tag_map.canonical_tag
        from tag_map
        where contains(lower(tag_map.raw_tag), lower($search))
    )
order by tags.total_viewers + tags.total_followers + tags.total_assessed_users desc, tags.canonical_tag
