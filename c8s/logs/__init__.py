"""What a log is: lines, their masking, the newest of them in memory, and where the whole lies in S3."""
