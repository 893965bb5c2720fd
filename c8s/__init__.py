"""c8s: continuous integration that lives inside Kubernetes."""

__version__ = "0.1.0"
