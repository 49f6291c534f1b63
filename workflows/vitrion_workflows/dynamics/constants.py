"""Physical constants in the engine's units: Angstrom, ps, eV, u, K (CODATA 2018)."""

BOLTZMANN_eV_PER_K = 8.617333262145179e-5
# One u A^2 / ps^2 in eV: 1.66053906660e-27 kg * (1e-10 m / 1e-12 s)^2 / 1.602176634e-19 J.
MASS_FACTOR_eV_PS2_PER_U_A2 = 1.66053906660e-27 * 1e4 / 1.602176634e-19
FEMTOSECONDS_PER_PS = 1000.0
