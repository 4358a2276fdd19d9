"""The Ray back end. Ray is imported in this folder and nowhere else."""
