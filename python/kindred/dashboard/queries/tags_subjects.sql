-- Subjects of which any spelling has the searched text, the most used first: by users who viewed, follow or were assessed.
-- One row per subject.
select
    canonical_tag,
    total_spellings,
    total_links,
    total_courses,
    total_viewers,
    total_followers,
    total_assessed_users,
    avg_assessment_score
from tags
where
    contains(lower(canonical_tag), lower($search))
    or canonical_tag in (select canonical_tag from tag_map where contains(lower(raw_tag), lower($search)))
order by total_viewers + total_followers + total_assessed_users desc, canonical_tag
