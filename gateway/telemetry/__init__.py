"""What operators see of the gateway: logs, metrics and redaction."""
