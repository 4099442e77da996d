-- The subjects that are related to one subject without being the same, the most certain first.
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
