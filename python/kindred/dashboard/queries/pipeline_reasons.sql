-- Why rows could not be used, the most frequent reason first.
-- One row per file and reason.
-- total_rows: How many rows of the file were rejected for it.
-- first_line: The first line of the file that was.
select
    file,
    reason,
    count(*) as total_rows,
    min(line_number) as first_line
from rejected_rows
group by file, reason
order by total_rows desc, file asc, reason asc
