"""Asks every question of this folder of an export: `python ask.py FOLDER [--json]`. Needs: pip install duckdb.

A question about a topic of which nothing was exported yet is left out, and named on standard error."""
import json
import sys
from pathlib import Path

import duckdb

here = Path(__file__).parent
folder = sys.argv[1]
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute("SET VARIABLE folder = ?", [folder])
for view in (here / "views.sql").read_text().split(";\n"):
    try:
        db.execute(view)
    except (duckdb.IOException, duckdb.CatalogException):
        pass  # no file of its topic, or of one that it is made of
answers = {}
for question in sorted(here.glob("[0-9]*.sql")):
    try:
        asked = db.execute(question.read_text())
    except duckdb.CatalogException:
        print(f"{question.stem}: nothing was exported of what it asks", file=sys.stderr)
        continue
    columns = [column[0] for column in asked.description]
    answers[question.stem] = [dict(zip(columns, row)) for row in asked.fetchall()]
    if "--json" not in sys.argv:
        print(question.read_text().splitlines()[0].removeprefix("-- "))
        for row in answers[question.stem]:
            print("  ", row)
if "--json" in sys.argv:
    print(json.dumps(answers, default=str))
