-- When the statistics over all users were computed: the rarity of features, the bundles of interests, score bands, the
-- usual view time, which course leads to which, and the hold-out quality. A build computes them again or, for
-- freeze_statistics_days, keeps the ones of an earlier build, so that a user's profile changes only when the user does
-- something.
-- Grain: a single row.

{%- set now -%}
cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
{%- endset %}

with

{% if is_incremental() and var('freeze_statistics_days') > 0 -%}
-- Only statistics that the last published build used are kept: a build that stopped half-way may have computed a part
-- of them again.
frozen as (

    select computed_at
    from {{ this }}
    where
        settings_fingerprint = '{{ settings_fingerprint() }}'
        and build_version = '{{ last_published_version() }}'
        and computed_at > {{ now }} - interval '{{ var("freeze_statistics_days") * 24 }}' hour

)
{%- else -%}
frozen as (

    select {{ now }} as computed_at
    where false

)
{%- endif %}

select
    coalesce(max(computed_at), {{ now }}) as computed_at,
    count(*) > 0 as is_frozen,
    '{{ settings_fingerprint() }}' as settings_fingerprint,
    '{{ build_version() }}' as build_version
from frozen
