-- The tables that a build publishes.
-- One row per table.
-- published_table: The name of the table.
-- total_rows: The number of its rows.
-- total_columns: The number of its columns.
-- description: What the table contains.
select
    table_name as published_table,
    estimated_size as total_rows,
    column_count as total_columns,
    comment as description
from duckdb_tables()
where not internal
order by published_table
