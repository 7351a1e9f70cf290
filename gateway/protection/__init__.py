"""Protection: rules of law that decide whether records may be shown at all."""
