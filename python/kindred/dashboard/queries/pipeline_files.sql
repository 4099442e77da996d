-- What happened to the rows of each input file, and the date of its newest row. Rows kept, folded and rejected sum to
-- the rows read.
-- One row per file.
select
    file,
    rows_read,
    rows_kept,
    rows_folded,
    rows_rejected,
    newest_at
from input_files
order by file
