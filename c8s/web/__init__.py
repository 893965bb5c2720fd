"""What every service of c8s shares: settings, structured logs, health, errors, bounds, who may do what."""
