-- How often a subject is used, in all its spellings.
-- A single row; no row if the subject does not exist.
select
    canonical_tag,
    total_courses,
    total_viewers,
    total_followers,
    total_assessed_users,
    avg_assessment_score,
    total_spellings,
    total_links
from tags
where canonical_tag = $tag
