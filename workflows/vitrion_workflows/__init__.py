"""Structure in, label out: jobflow jobs and flows for amorphous cells and their diffusivities. No domain database."""
