-- The tables that a build publishes.
-- One row per table.
-- published_table: The table.
-- total_rows: How many rows it has.
-- total_columns: How many columns it has.
-- description: What it is.
select
    table_name as published_table,
    estimated_size as total_rows,
    column_count as total_columns,
    comment as description
from duckdb_tables()
where not internal
order by published_table
