-- The subjects that are related to one without being the same, the surest first.
-- One row per related subject.
select
    other_tag,
    score,
    method,
    reason,
    users_of_both
from tag_links
where tag = $tag
order by score desc, other_tag asc
