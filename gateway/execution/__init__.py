"""Execution: an operation is prepared, planned and run."""
