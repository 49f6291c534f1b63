"""Running jobs: potentials loaded once in a process, the scratch folder, a clean stop."""
