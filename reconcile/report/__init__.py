"""The summary and the report of a run, under disclosure control."""
