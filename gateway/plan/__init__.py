"""Plan: documents parsed, validated, analysed and planned, once."""
