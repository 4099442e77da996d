-- The build that made the data on these pages.
-- A single row.
select
    version,
    started_at,
    statistics_computed_at,
    dbt_version,
    engine_version
from build_info
