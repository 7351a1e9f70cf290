"""Shape: from an executed operation to the JSON of the answer."""
