"""JSON of structures: `reading` is the entrance; pymatgen's and OPTIMADE's forms have a module each."""
