"""What plays the kubelet on one machine: pods become processes, their output becomes logs."""
