-- The tables that a build publishes.
-- One row per table.
-- published_table: The table.
-- rows: How many rows it has.
-- columns: How many columns it has.
-- description: What it is.
select
    table_name as published_table,
    estimated_size as rows,
    column_count as columns,
    comment as description
from duckdb_tables()
where not internal
order by published_table
