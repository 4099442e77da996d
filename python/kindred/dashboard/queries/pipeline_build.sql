-- The build that made what the pages show.
-- A single row.
select
    version,
    started_at,
    statistics_computed_at,
    dbt_version,
    engine_version
from build_info
