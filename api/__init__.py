"""REST and the dashboard."""
