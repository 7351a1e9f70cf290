"""Plan: documents parsed, validated and analysed once."""
