"""The access log: who read what of a person, as the person may see it."""
