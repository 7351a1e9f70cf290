"""Phrases of pages in Vietnamese and English: those of the frame, and a file for each page."""
