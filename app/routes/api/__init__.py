"""The REST API for programs, at `/api/v1`; docs/api.md says how it is used."""
