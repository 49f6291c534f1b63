"""Description file of a remote potential: its identity, and how to reach or start it."""

from pathlib import Path
from typing import Annotated, Self, TypeVar

from ase.data import chemical_symbols
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows.formats.documents import load_json, load_yaml

ADDRESS_PLACEHOLDER = "{address}"
STRUCTURE_PLACEHOLDER = "{structure}"
CLIENT_PLACEHOLDER = "{client}"
PYTHON_PLACEHOLDER = "{python}"
UNIX_PREFIX = "unix:"
LARGEST_PORT = 65535
Model = TypeVar("Model", bound=BaseModel)
EXAMPLE = "give remote:FILE.yaml with an identity and an address or a command (see docs/design/potentials.md)"


def _real_elements(symbols: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(symbols) - set(chemical_symbols[1:]))
    if unknown:
        raise ValueError(f"{', '.join(unknown)} are not elements")
    return symbols


def _real_address(address: str) -> str:
    parse_address(address)
    return address


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RemoteIdentity(_Strict):
    """Identity of a remote potential; all of it is required.

    Attributes:
        name: name of the potential.
        version: version of its weights and of the code that evaluates them.
        weights_sha256: sha256 of the weights; part of the key of a label.
        elements: chemical symbols covered.
    """

    name: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    weights_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    elements: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_real_elements)]


class RemoteDescription(_Strict):
    """A potential in another process.

    Attributes:
        identity: its identity.
        identity_file: or the file with its identity, written by `vitrion potentials serve --identity`.
        address: where Vitrion listens for the client: ``host:port`` or ``unix:/path``. Optional with a command: each
            process that uses the potential then has a socket of its own.
        command: command that starts the client, with the placeholders ``{address}``, ``{client}`` (file of Vitrion's
            client, which needs only numpy and ASE), ``{python}`` (this interpreter) and ``{structure}`` (file with the
            atoms in their order, for clients that must know them beforehand).
        structure: file with the atoms of a client that was started by hand and does not ask for them.
        unverified: accept a client that does not report its identity; the name of the potential in every label is then
            `remote-unverified:`. A client that reports another identity is refused all the same.
        start_timeout_s: longest wait for the client to connect (it may have to load its weights).
        call_timeout_s: longest wait for the forces of one step.
        restarts: how often within 1000 steps a client that died or hangs is replaced.
    """

    identity: RemoteIdentity | None = None
    identity_file: Path | None = None
    address: Annotated[str, AfterValidator(_real_address)] | None = None
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    structure: Path | None = None
    unverified: bool = False
    start_timeout_s: Annotated[float, Field(gt=0)] = 300.0
    call_timeout_s: Annotated[float, Field(gt=0)] = 600.0
    restarts: Annotated[int, Field(ge=0)] = 3

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.identity is None) == (self.identity_file is None):
            raise ValueError("state the identity or an identity_file, not both")
        if self.address is None and self.command is None:
            raise ValueError("state an address, or a command that starts the client")
        if self.command is not None and not any(ADDRESS_PLACEHOLDER in word for word in self.command):
            raise ValueError("the command must contain {address}")
        return self

    @property
    def asks_structure(self) -> bool:
        """Return True if the command takes a file with the atoms."""
        return self.command is not None and any(STRUCTURE_PLACEHOLDER in word for word in self.command)


def parse_address(address: str) -> tuple[str, int] | str:
    """Parse an address into host and port, or the path of a Unix socket.

    Raises:
        InputError: it is neither.
    """
    if address.startswith(UNIX_PREFIX) and len(address) > len(UNIX_PREFIX):
        return address.removeprefix(UNIX_PREFIX)
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= LARGEST_PORT:
        raise InputError(f"{address!r} is not an address: give host:port or unix:/path")
    return host, int(port)


def read_description(path: Path) -> tuple[RemoteDescription, RemoteIdentity]:
    """Read the description and the identity of a remote potential.

    Raises:
        MissingDependencyError: the file, or its identity file, is missing.
        InputError: one of them cannot be read.
    """
    description = _validated(RemoteDescription, _mapping(path), path)
    if description.identity is not None:
        return description, description.identity
    identity_path = path.parent / Path(description.identity_file or "")
    return description, _validated(RemoteIdentity, _mapping(identity_path), identity_path)


def _mapping(path: Path) -> object:
    if not path.exists():
        raise MissingDependencyError(f"{path}: no such file: {EXAMPLE}")
    return load_json(path) if path.suffix == ".json" else load_yaml(path)


def _validated(model: type[Model], content: object, path: Path) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "it"
        raise InputError(f"{path}: {place}: {fault['msg']}") from error
