-- An alias stands for a subject, not for another alias, since tag_map does not follow chains; and for one subject only.

with

tag_aliases as (

    select * from {{ ref('tag_aliases') }}

),

alias_keys as (

    select distinct
        {{ tag_key('alias', 3) }} as alias_key,
        {{ tag_key('tag', 3) }} as subject_key
    from tag_aliases

)

select
    alias_key,
    min(subject_key) as subject_key
from alias_keys
group by alias_key
having count(*) > 1

union all

select
    one.alias_key,
    one.subject_key
from alias_keys as one
inner join alias_keys as other on one.subject_key = other.alias_key
