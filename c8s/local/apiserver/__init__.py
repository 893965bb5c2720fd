"""A Kubernetes API server for one machine: one process, loopback, state in memory and SQLite."""
