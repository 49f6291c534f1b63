"""Physical constants and unit factors (CODATA 2018; Angstrom, ps, eV, u, K unless named), temperature limits."""

import math

DIMENSIONS = 3
LN_10 = math.log(10.0)
ELEMENTARY_CHARGE_C = 1.602176634e-19
BOLTZMANN_J_PER_K = 1.380649e-23
ATOMIC_MASS_KG = 1.66053906660e-27
BOLTZMANN_eV_PER_K = BOLTZMANN_J_PER_K / ELEMENTARY_CHARGE_C
# k_B in u A^2 / ps^2 / K: one A/ps is 100 m/s.
BOLTZMANN_u_A2_PER_PS2_K = BOLTZMANN_J_PER_K / (ATOMIC_MASS_KG * 1e4)
# One u A^2 / ps^2 in eV.
MASS_FACTOR_eV_PS2_PER_U_A2 = ATOMIC_MASS_KG * 1e4 / ELEMENTARY_CHARGE_C
FEMTOSECONDS_PER_PS = 1000.0
# One A^2/ps in cm^2/s.
A2_PER_PS_IN_CM2_PER_S = 1e-4
CM3_PER_A3 = 1e-24
# One u/A^3 in g/cm^3; also one cm^3/mol in A^3 for each formula unit.
U_PER_A3_IN_G_PER_CM3 = ATOMIC_MASS_KG * 1e27
# One eV/A^3 in GPa.
GPA_PER_eV_A3 = ELEMENTARY_CHARGE_C * 1e21
# Temperatures of a label in K. Outside them a Kelvin value is a mistake of units or of digits.
COLDEST_K = 1.0
HOTTEST_K = 10000.0
# Half width of a two-sided 95 % interval of the normal distribution, in standard deviations.
Z_95 = 1.96
