"""Extraction: records of each source as Parquet files of text."""
