-- The files of an export as tables. Before: SET VARIABLE folder = 'where `corridor analytics export` wrote to';
CREATE OR REPLACE VIEW events AS
  SELECT * FROM read_parquet(getvariable('folder') || '/transfer.lifecycle/**/*.parquet', union_by_name = true);
CREATE OR REPLACE VIEW refused AS
  SELECT * FROM read_parquet(getvariable('folder') || '/intent.rejected/**/*.parquet', union_by_name = true);
CREATE OR REPLACE VIEW duplicated AS
  SELECT * FROM read_parquet(getvariable('folder') || '/intent.duplicated/**/*.parquet', union_by_name = true);
-- The latest row of each transfer: the highest sequence, and of two the mark.
CREATE OR REPLACE VIEW latest AS
  SELECT * FROM events
  QUALIFY row_number() OVER (PARTITION BY transferId ORDER BY sequence DESC, eventKind = 'MARK' DESC) = 1;
