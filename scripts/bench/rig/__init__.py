"""What `scripts/bench/gateway` is made of: bodies, the cast of processes, driving them, and the report."""
