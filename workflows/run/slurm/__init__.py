"""Tasks as Slurm jobs: the profile of a cluster, scripts, the queue, submission."""
