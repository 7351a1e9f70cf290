"""Shape: from what a plan read, or an error, to the JSON of the response."""
