-- Every listed pair has reasons, and no other pair has any. All reasons contribute, they sum to the similarity, and
-- they are numbered from 1 without gaps; the first three are the top_reasons. Only the first 200 users are tested,
-- since the view computes reasons whenever it is read.

{%- set tried_users = 200 %} {#- the first users, who are tested #}
{%- set top_reasons = 3 %}   {#- reasons in top_reasons #}
{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by this much #}

{% set first_users -%}
select max(user_handle)
from (select user_handle from {{ ref('users') }} order by user_handle limit {{ tried_users }})
{%- endset %}
{% set is_built = execute and load_relation(ref('users')) is not none %}
{% set last_user = run_query(first_users).columns[0].values()[0] if is_built %}
{#- A literal is compared with numbers as a number, and with texts as a text. #}
{% set last_user = text_literal((last_user or 0) | string) %}

with

reasons as (

    select
        user_handle,
        similar_user_handle,
        sum(contribution) as similarity,
        min(contribution) as min_contribution,
        count(*) as reasons,
        max(reason_rank) as last_rank,
        count(distinct reason_rank) as ranks,
        list(struct_pack(facet, feature, contribution) order by reason_rank) filter (
            where reason_rank <= {{ top_reasons }}
        ) as first_reasons
    from {{ ref('similar_user_reasons') }}
    where user_handle <= {{ last_user }}
    group by user_handle, similar_user_handle

),

pairs as (

    select * from {{ ref('similar_users') }}
    where user_handle <= {{ last_user }}

)

select
    pairs.user_handle,
    pairs.similar_user_handle,
    pairs.similarity,
    reasons.similarity as reasons_sum
from pairs
full outer join reasons
    on
        pairs.user_handle = reasons.user_handle
        and pairs.similar_user_handle = reasons.similar_user_handle
where
    pairs.similarity is null
    or reasons.similarity is null
    or abs(pairs.similarity - reasons.similarity) > {{ rounding }}
    or reasons.min_contribution <= 0
    or reasons.last_rank != reasons.reasons
    or reasons.ranks != reasons.reasons
    or reasons.first_reasons != pairs.top_reasons
