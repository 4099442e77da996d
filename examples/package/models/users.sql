-- The members of Academy.
-- Grain: one row per member.

select
    member,
    joined_on
from {{ ref('members') }}
