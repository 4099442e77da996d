-- All spellings of a subject, and why they were merged.
-- One row per vocabulary and spelling, the least safe first.
select
    raw_tag,
    vocabulary,
    method,
    score,
    reason
from tag_map
where canonical_tag = $tag
order by score, raw_tag, vocabulary
