"""PersistentVolumeClaims of the local cluster."""
