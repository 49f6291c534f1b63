"""`MeltQuenchMaker`: an amorphous cell of a formula by melt and quench."""

from dataclasses import dataclass, field

from jobflow import Flow, Maker
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows import amorphous
from vitrion_workflows.flows.melt_quench_jobs import (
    find_volume,
    melt_cell,
    pack_cell,
    quench_cell,
    validate_quenched_cell,
)
from vitrion_workflows.potentials.devices import AUTO
from vitrion_workflows.schemas import CellProtocol, ForceCheckSettings, VolumeRule
from vitrion_workflows.schemas.geometry import explicit_isotopes
from vitrion_workflows.structure.composition import cell_contents
from vitrion_workflows.structure.element_masses import compound_masses


@dataclass
class MeltQuenchMaker(Maker):
    """Random packing, volume of the melt, melt, quench to the glass and its volume, hold, relaxation, gates.

    Attributes:
        name: of the flow.
        potential: registry name, see ``vitrion potentials list``.
        protocol: temperatures, times and time step; `vitrion_workflows.amorphous.PROTOCOLS` names some.
        volume: rule that chooses the volume (`vitrion_workflows.schemas.volume.VolumeRule`), or A3 per atom.
        volume_scale: volume of the packing over that of the crystal, where the volume search begins.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
        force_check: settings of the check of the forces against a reference potential; None makes none.

    Example:
        >>> from jobflow import run_locally
        >>> from vitrion_workflows.amorphous import PROTOCOLS
        >>> flow = MeltQuenchMaker(potential="nep89", protocol=PROTOCOLS["quickstart"]).make("LiCl", n_atoms=56, seed=1)
        >>> [job.name for job in flow.jobs]
        ['pack_cell', 'find_volume', 'melt_cell', 'quench_cell', 'validate_quenched_cell']
        >>> outcome = run_locally(flow)[flow.jobs[-1].uuid][1].output  # doctest: +SKIP
    """

    name: str = "melt and quench"
    potential: str = "nep89"
    protocol: CellProtocol = field(default_factory=CellProtocol)
    volume: VolumeRule = "rule"
    volume_scale: float = 1.15
    device: str = AUTO
    force_check: ForceCheckSettings | None = field(default_factory=ForceCheckSettings)

    def make(self, formula: str, *, n_atoms: int, seed: int, twin: Structure | None = None) -> Flow:
        """Return the flow for one cell; its output is a `CellOutcome`.

        Args:
            formula: chemical formula; whole formula units are packed. With D or T for an isotope of hydrogen.
            n_atoms: wanted number of atoms.
            seed: the same seed gives the same cell.
            twin: crystal of the same compound; it sets the density window, the energy gate and isotopes.

        Raises:
            InputError: no formula, a twin of another compound, no volume of the source asked for, a negative seed.
        """
        if seed < 0:
            raise InputError(f"seed {seed} must not be negative")
        twin = None if twin is None else explicit_isotopes(twin)
        cell_contents(formula, n_atoms=n_atoms)
        kelvin = self.protocol.melt_temperature_K
        amorphous.require_volume(formula, twin, rule=self.volume, temperature_K=kelvin)
        engine = {"potential": self.potential, "protocol": self.protocol, "seed": seed, "device": self.device}
        packed = pack_cell(
            formula,
            n_atoms=n_atoms,
            seed=seed,
            twin=twin,
            volume_scale=self.volume_scale,
            masses_u=compound_masses(formula, twin),
        )
        sized = find_volume(packed.output, formula=formula, twin=twin, volume=self.volume, **engine)
        molten = melt_cell(sized.output, **engine)
        quenched = quench_cell(molten.output, **engine)
        validated = validate_quenched_cell(
            quenched.output, formula=formula, twin=twin, force_check=self.force_check, **engine
        )
        return Flow(
            [packed, sized, molten, quenched, validated], output=validated.output, name=f"{self.name} {formula}"
        )
