-- No member is a study partner of their own.

select
    member,
    partner
from {{ ref('study_partners') }}
where member = partner
