"""From what the planner wants to Kubernetes objects, as dicts shaped like the YAML a reader knows."""
