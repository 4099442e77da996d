-- The rules that merged spellings, the least safe first.
-- One row per rule that merged a spelling.
-- rule_text: The rule in words.
-- total_merges: The number of spellings that it merged, counted in each vocabulary.
-- example: A merge into the most used subject.
select
    tag_map.method,
    case tag_map.method
        when 'spelling' then 'differs in upper and lower case or in punctuation'
        when 'symbol' then 'has a symbol spelled out, such as c-sharp for c#'
        when 'wording' then 'differs in a plural, a stop word or the -js of a framework'
        when 'wrapper' then 'has words around the subject of an assessment, such as core skills'
        when 'alias' then 'is an abbreviation or another name from the list tag_aliases'
        when 'version' then 'names the only version or an edition of the subject'
        when 'misspelling' then 'has a missing, an extra or a swapped letter'
        when 'override' then 'is set by the owner in tag_overrides'
    end as rule_text,
    tag_map.score,
    count(*) as total_merges,
    max_by(
        tag_map.raw_tag || ' = ' || tag_map.canonical_tag,
        row(tags.total_viewers + tags.total_followers + tags.total_assessed_users, tag_map.raw_tag)
    ) as example
from tag_map
inner join tags on tag_map.canonical_tag = tags.canonical_tag
where tag_map.method != 'identical'
group by tag_map.method, tag_map.score
order by tag_map.score, tag_map.method
