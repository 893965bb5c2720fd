"""How a container's process is kept apart from the rest of the machine: one module per way."""
