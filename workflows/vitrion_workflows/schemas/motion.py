"""Motion of the mobile ions in a labelling run, beyond their diffusivity."""

from pydantic import BaseModel, ConfigDict


class Motion(BaseModel):
    """Cheap observables of the mobile species, for analysis; no gate judges them.

    Attributes:
        principal: eigenvalues of the diffusivity tensor, cm2/s, greatest first; of an isotropic cell they differ by
            their errors.
        isotropic_p: probability that isotropic motion looks as anisotropic as this.
        collective: diffusivity of the summed displacement, cm2/s; a single walker.
        collective_stderr: its standard error.
        haven_interval_95: of tracer over collective diffusivity; None where that is not known.
        green_kubo: diffusivity from the velocity autocorrelation, cm2/s; None where frames are too far apart.
        green_kubo_stderr: its standard error.
        alpha2: greatest non-Gaussian parameter.
        alpha2_ps: lag at which it is reached.
        turned: share of the framework's bonded groups that turned within half the run; None without such groups.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    principal: tuple[float, float, float]
    isotropic_p: float
    collective: float
    collective_stderr: float
    haven_interval_95: tuple[float, float] | None = None
    green_kubo: float | None = None
    green_kubo_stderr: float | None = None
    alpha2: float
    alpha2_ps: float
    turned: float | None = None
