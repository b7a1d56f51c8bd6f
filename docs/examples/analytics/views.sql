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
CREATE OR REPLACE VIEW positions AS
  SELECT * FROM read_parquet(getvariable('folder') || '/fx.position/**/*.parquet', union_by_name = true);
-- Each rate once, however often somebody wrote it: the first record of it counts.
CREATE OR REPLACE VIEW rates AS
  SELECT * FROM read_parquet(getvariable('folder') || '/fx.rate-history/**/*.parquet', union_by_name = true)
  QUALIFY row_number() OVER (PARTITION BY rateId ORDER BY kafkaOffset) = 1;
-- What was in force, and when: the last record of each version.
CREATE OR REPLACE VIEW reference_versions AS
  SELECT * FROM read_parquet(getvariable('folder') || '/reference.versions/**/*.parquet', union_by_name = true)
  QUALIFY row_number() OVER (PARTITION BY versionId ORDER BY kafkaOffset DESC) = 1;
-- The close of each pair on each day (UTC): of each source the last rate that was observed on it, and of these the middle one by
-- rate; of two the lower; sources: of how many. What was dated more than five minutes ahead, or was written more than a day late, closes nothing.
CREATE OR REPLACE VIEW daily_closes AS
  WITH last_of_source AS (
    SELECT CAST(observedAt AS DATE) AS day, base, quote, CAST(rate AS DOUBLE) AS rate, source, observedAt, baseExponent, quoteExponent
    FROM rates
    WHERE observedAt <= coalesce(appendedAt, recordedAt) + INTERVAL 5 MINUTE
      AND coalesce(appendedAt, recordedAt) < CAST(observedAt AS DATE) + INTERVAL 2 DAY
    QUALIFY row_number() OVER (PARTITION BY CAST(observedAt AS DATE), base, quote, source ORDER BY observedAt DESC, rateId) = 1)
  SELECT *, count(*) OVER (PARTITION BY day, base, quote) AS sources FROM last_of_source
  QUALIFY row_number() OVER (PARTITION BY day, base, quote ORDER BY rate, source)
    = (count(*) OVER (PARTITION BY day, base, quote) + 1) // 2;
-- Units of the reporting currency (SET VARIABLE reporting = 'GBP'; else EUR) for one unit of each currency, by day on which there
-- are rows; factor: the same for minor units. By closes of that day, else of the last of the seven days before.
CREATE OR REPLACE VIEW reporting_rates AS
  WITH days AS (SELECT DISTINCT CAST(recordedAt AS DATE) AS day FROM events),
    closes AS (
      SELECT days.day, base, quote, rate, baseExponent, quoteExponent
      FROM days JOIN daily_closes c ON c.day BETWEEN days.day - 7 AND days.day
      QUALIFY row_number() OVER (PARTITION BY days.day, base, quote ORDER BY c.day DESC) = 1),
    steps AS (
      SELECT day, base AS a, quote AS b, rate, baseExponent AS fromExponent, quoteExponent AS toExponent, 1 AS rank FROM closes
      UNION ALL SELECT day, quote, base, 1 / rate, quoteExponent, baseExponent, 2 FROM closes),
    edges AS (SELECT * FROM steps QUALIFY row_number() OVER (PARTITION BY day, a, b ORDER BY rank) = 1),
    reporting AS (SELECT coalesce(getvariable('reporting'), 'EUR') AS currency),
    routes AS (
      SELECT day, a AS currency, rate, fromExponent, toExponent, '' AS via FROM edges, reporting WHERE b = reporting.currency
      UNION ALL
      SELECT one.day, one.a, one.rate * two.rate, one.fromExponent, two.toExponent, one.b
      FROM edges one JOIN edges two ON one.day = two.day AND one.b = two.a, reporting
      WHERE two.b = reporting.currency AND one.a <> reporting.currency
      UNION ALL SELECT day, reporting.currency, 1, 0, 0, '' FROM days, reporting)
  SELECT day, currency, rate, rate * pow(10, toExponent - fromExponent) AS factor FROM routes
  QUALIFY row_number() OVER (PARTITION BY day, currency ORDER BY via) = 1;
