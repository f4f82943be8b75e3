"""The service: recognition over HTTP, in this project's own form and in those of other services."""
