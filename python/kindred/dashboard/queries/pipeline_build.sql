-- The build that made what the pages show.
-- A single row.
select
    version,
    started_at,
    learnt_at,
    dbt_version,
    engine_version
from build_info
