"""vasprun.xml and OUTCAR of a run of three atoms, as VASP writes them."""

import numpy as np

CELL = np.array([[9.0, 0.0, 0.0], [1.0, 8.0, 0.0], [0.0, -1.0, 7.0]])
SYMBOLS = ["Li", "Li", "Cl"]
SETTINGS = {
    "IBRION": 0,
    "POTIM": 2.0,
    "MDALGO": 2,
    "SMASS": 0.0,
    "TEBEG": 900.0,
    "TEEND": 900.0,
    "NBLOCK": 1,
    "NELM": 60,
    "NSW": 20,
}


def wrapped(path_A, cells):
    return np.mod(path_A @ np.linalg.inv(CELL), 1.0), np.broadcast_to(CELL if cells is None else cells, (20, 3, 3))


def vectors(name, rows):
    return (
        f'<varray name="{name}">'
        + "".join(f"<v>{' '.join(f'{x:.8f}' for x in row)}</v>\n" for row in rows)
        + "</varray>"
    )


def structure(lattice, fractional, name=None):
    named = f' name="{name}"' if name else ""
    return (
        f"<structure{named}><crystal>{vectors('basis', lattice)}{vectors('rec_basis', lattice)}"
        f'<i name="volume"> 1.0 </i></crystal>{vectors("positions", fractional)}</structure>\n'
    )


def energies(number):
    return (
        f'<energy><i name="e_fr_energy">{-20.0 - number}</i><i name="e_wo_entrp">-1.0</i><i name="e_0_energy">-2.0</i>'
        f'<i name="kinetic">{0.1 + 0.01 * number}</i><i name="lattice kinetic">0.0</i></energy>\n'
    )


def vasprun(path_A, *, cells=None, masses=(6.941, 35.453), **settings):
    fractional, lattices = wrapped(path_A, cells)
    words = "".join(f'<i name="{name}">{value}</i>\n' for name, value in (SETTINGS | settings).items())
    atoms = "".join(f"<rc><c>{s}</c><c>{1 + (s == 'Cl')}</c></rc>" for s in SYMBOLS)
    types = "".join(
        f"<rc><c>{n}</c><c>{s}</c><c>{m}</c><c>1.0</c><c> PAW_PBE {s}_sv 10Sep2004</c></rc>"
        for n, s, m in ((2, "Li", masses[0]), (1, "Cl", masses[1]))
    )
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n<generator><i name="program" type="string">vasp</i>'
        '<i name="version" type="string">6.3.0</i></generator>\n<incar></incar>\n'
        '<kpoints><generation param="Monkhorst-Pack"><v type="int" name="divisions">1 1 1</v></generation>'
        '<varray name="kpointlist"><v>0 0 0</v></varray><varray name="weights"><v>1.0</v></varray></kpoints>\n'
        f'<parameters><separator name="ionic">\n{words}</separator></parameters>\n<atominfo><atoms>3</atoms>'
        '<types>2</types><array name="atoms"><dimension dim="1">ion</dimension><field type="string">element</field>'
        f'<field type="int">atomtype</field><set>{atoms}</set></array>'
        f'<array name="atomtypes"><set>{types}</set></array></atominfo>\n'
    ) + structure(lattices[0], fractional[0], "initialpos")
    for number, (lattice, frame) in enumerate(zip(lattices, fractional, strict=True)):
        step = '<scstep><energy><i name="e_fr_energy">99.0</i></energy></scstep>\n'
        forces = vectors("forces", np.zeros((3, 3)))
        text += f"<calculation>\n{step}{structure(lattice, frame)}{forces}{energies(number)}</calculation>\n"
    return text + structure(lattices[-1], fractional[-1], "finalpos") + "</modeling>\n"


def outcar(path_A, *, cells=None, every=1, **settings):
    fractional, lattices = wrapped(path_A, cells)
    values = SETTINGS | settings
    text = (
        " vasp.6.3.0 20Jan22\n" + 2 * " POTCAR:    PAW_PBE Li_sv 10Sep2004\n POTCAR:    PAW_PBE Cl 06Sep2000\n" + ""
        "   TITEL  = PAW_PBE Li_sv 10Sep2004\n   POMASS =    6.941; ZVAL   =    3.000    mass and valenz\n"
        "   TITEL  = PAW_PBE Cl 06Sep2000\n   POMASS =   35.453; ZVAL   =    7.000    mass and valenz\n"
        "   number of dos      NEDOS =    301   number of ions     NIONS =      3\n"
        "   ions per type =               2   1\n"
        f"   IBRION = {values['IBRION']:6d}    ionic relax: 0-MD 1-quasi-New 2-CG\n"
        f"   POTIM  = {values['POTIM']:.4f}    time-step for ionic-motion\n"
        f"   TEBEG  = {values['TEBEG']:.1f};   TEEND  = {values['TEEND']:.1f} temperature during run\n"
        f"   SMASS  = {values['SMASS']:.2f}    Nose mass-parameter (am)\n   MDALGO = {values['MDALGO']}\n"
        "  Mass of Ions in am\n   POMASS =   6.94 35.45\n  Ionic Valenz\n"
    )
    lengths = "".join(" ".join(f"{x:14.9f}" for x in [*row, 0, 0, 0]) + "\n" for row in lattices[0])
    text += f"      direct lattice vectors                 reciprocal lattice vectors\n{lengths}"
    for number, (lattice, frame) in enumerate(zip(lattices, fractional, strict=True)):
        rows = "".join(" ".join(f"{x:13.5f}" for x in [*row, 0, 0, 0]) + "\n" for row in frame @ lattice)
        lengths = "".join(" ".join(f"{x:14.9f}" for x in [*row, 0, 0, 0]) + "\n" for row in lattice)
        text += (
            f"{'-' * 39} Iteration {every * (number + 1):6d}(   1)  {'-' * 39}\n"
            "  free energy    TOTEN  =        99.00000000 eV\n"
            "  VOLUME and BASIS-vectors are now :\n"
            f"      direct lattice vectors                 reciprocal lattice vectors\n{lengths}\n"
            f" POSITION                                       TOTAL-FORCE (eV/Angst)\n {'-' * 83}\n{rows} {'-' * 83}\n"
            f"  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n  {'-' * 51}\n"
            f"  free  energy   TOTEN  = {-20.0 - number:18.8f} eV\n\n"
            f"  energy  without entropy= {-20.0 - number:18.8f}  energy(sigma->0) = {-20.0 - number:18.8f}\n\n"
            f"  kin. lattice  EKIN_LAT=         0.000000  (temperature {300.0 + number:8.2f} K)\n"
        )
    return text + " General timing and accounting informations for this job:\n"
