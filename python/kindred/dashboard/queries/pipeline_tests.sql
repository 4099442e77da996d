-- The tests of the data; those that did not pass come first.
-- One row per test.
select
    table_name,
    column_name,
    status,
    failures,
    description,
    test_name,
    tested_at
from test_results
order by
    case status when 'fail' then 1 when 'warn' then 2 when 'not run' then 3 else 4 end,
    table_name,
    column_name,
    test_name
