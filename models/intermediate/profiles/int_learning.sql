-- Since when that holds which is learnt from all users at once: the rarity of features, bundles of interests, which
-- course leads to which, and how good the result is. A build learns it anew or, for keep_learnt_days, keeps what an
-- earlier one learnt: then the profile of a user changes only where the user has done something.
-- Grain: a single row.

{%- set now -%}
cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
{%- endset %}

with

{% if is_incremental() and var('keep_learnt_days') > 0 -%}
-- Kept is only what a whole build used, published last: one that stopped half-way may have learnt a part of it anew.
learnt as (

    select learnt_at
    from {{ this }}
    where
        settings_fingerprint = '{{ learnt_settings_fingerprint() }}'
        and build_version = '{{ last_published_version() }}'
        and learnt_at > {{ now }} - interval '{{ var("keep_learnt_days") * 24 }}' hour

)
{%- else -%}
learnt as (

    select {{ now }} as learnt_at
    where false

)
{%- endif %}

select
    coalesce(max(learnt_at), {{ now }}) as learnt_at,
    count(*) > 0 as is_kept,
    '{{ learnt_settings_fingerprint() }}' as settings_fingerprint,
    '{{ build_version() }}' as build_version
from learnt
