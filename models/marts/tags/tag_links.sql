-- Which subjects are related, how surely, and on what evidence.
-- Grain: one row per ordered pair of canonical tags; each pair is listed in both orders.

with

tag_links as (

    select * from {{ ref('int_tag_links') }}

)

select
    tag,
    other_tag,
    score,
    method,
    reason,
    rule_score,
    token_score,
    cooccurrence_score,
    users_of_both
from tag_links
order by tag asc, score desc, other_tag asc
