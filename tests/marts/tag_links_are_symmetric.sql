-- Every link is listed in both orders, with the same scores and the same evidence.

with

tag_links as (

    select * from {{ ref('tag_links') }}

)

select
    tag_links.tag,
    tag_links.other_tag
from tag_links
left join tag_links as back
    on
        tag_links.tag = back.other_tag
        and tag_links.other_tag = back.tag
        and tag_links.score = back.score
        and tag_links.rule_score = back.rule_score
        and tag_links.token_score = back.token_score
        and tag_links.cooccurrence_score = back.cooccurrence_score
        and tag_links.users_of_both = back.users_of_both
        and tag_links.method = back.method
        and tag_links.reason = back.reason
where back.tag is null
