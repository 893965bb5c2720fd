"""What every controller of the local cluster is made of."""
