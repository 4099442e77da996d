-- The reasons why rows could not be used, the most frequent first.
-- One row per file and reason.
-- total_rows: The number of rows of the file that were rejected for this reason.
-- first_line: The first of these lines in the file.
select
    file,
    reason,
    count(*) as total_rows,
    min(line_number) as first_line
from rejected_rows
group by file, reason
order by total_rows desc, file asc, reason asc
