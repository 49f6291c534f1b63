"""Structure and temperature -> log10 D with an honest interval."""
