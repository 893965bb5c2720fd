"""`make bench`: what c8s costs, as medians and ratios. Nothing here is a test: no number can fail a build."""
