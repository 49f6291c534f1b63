"""Random motions whose diffusivity is known: the truths of the transport tests and benchmarks.

Every function returns positions in Angstrom, shape (frames, ions, 3), and takes D in A^2/ps (1 A^2/ps = 1e-4 cm2/s).
"""

import numpy as np

BOLTZMANN = 0.8314462618  # u A^2 / ps^2 / K


def brownian(rng, *, frames, ions, D, interval):
    """Free walk: D is exact at every lag."""
    steps = rng.normal(scale=np.sqrt(2 * D * interval), size=(frames, ions, 3))
    steps[0] = 0
    return np.cumsum(steps, axis=0)


def langevin(rng, **motion):
    """Positions of `langevin_states`."""
    return langevin_states(rng, **motion)[0]


def langevin_states(rng, *, frames, ions, mass, temperature, friction, interval):
    """Positions and velocities of free particles with inertia and friction (1/ps), sampled exactly.

    D = kT / (m friction); the velocity autocorrelation is 3 kT / m exp(-friction t).

    Over one interval velocity and displacement are jointly Gaussian (Chandrasekhar, Rev. Mod. Phys. 15, 1, 1943).
    """
    thermal = BOLTZMANN * temperature / mass
    decay = np.exp(-friction * interval)
    var_v = thermal * (1 - decay**2)
    var_x = thermal / friction**2 * (2 * friction * interval - 3 + 4 * decay - decay**2)
    cov = thermal / friction * (1 - decay) ** 2
    root = np.linalg.cholesky(np.array([[var_x, cov], [cov, var_v]]))
    velocity = rng.normal(scale=np.sqrt(thermal), size=(ions, 3))
    positions, velocities = np.zeros((frames, ions, 3)), np.empty((frames, ions, 3))
    velocities[0] = velocity
    for frame in range(1, frames):
        noise = np.einsum("ab,bnd->and", root, rng.normal(size=(2, ions, 3)))
        positions[frame] = positions[frame - 1] + velocities[frame - 1] * (1 - decay) / friction + noise[0]
        velocities[frame] = velocities[frame - 1] * decay + noise[1]
    return positions, velocities


def rattle(rng, *, frames, ions, amplitude, memory, interval):
    """Stationary Ornstein-Uhlenbeck vibration about the origin: D = 0. Amplitude for each dimension."""
    decay = np.exp(-interval / memory)
    kicks = rng.normal(scale=amplitude * np.sqrt(1 - decay**2), size=(frames, ions, 3))
    kicks[0] = rng.normal(scale=amplitude, size=(ions, 3))
    for frame in range(1, frames):
        kicks[frame] += decay * kicks[frame - 1]
    return kicks


def hops(rng, *, frames, ions, D, interval, length=3.0):
    """Independent Poisson jumps to one of six neighbours on a simple cubic lattice: D = rate length^2 / 6."""
    counts = rng.poisson(6 * D / length**2 * interval, size=(frames, ions))
    counts[0] = 0
    path = np.zeros((frames, ions, 3))
    # Jumps within one interval: the sum of `count` random unit vectors along the axes.
    for count in range(1, counts.max(initial=0) + 1):
        frame, ion = np.nonzero(counts >= count)
        np.add.at(path, (frame, ion, rng.integers(3, size=len(frame))), length * rng.choice([-1, 1], size=len(frame)))
    return np.cumsum(path, axis=0)


def caged_hops(rng, *, frames, ions, D, interval, amplitude=0.35, memory=0.05, length=3.0):
    """Jumps between sites at which the ion rattles: D is that of the jumps."""
    return hops(rng, frames=frames, ions=ions, D=D, interval=interval, length=length) + rattle(
        rng, frames=frames, ions=ions, amplitude=amplitude, memory=memory, interval=interval
    )


def undone_hops(rng, *, frames, ions, D, interval, share, length=3.0):
    """Jumps of which a share goes straight back, else anywhere: D = rate length^2 / 6 (1 - share) / (1 + share)."""
    steps = np.vstack([np.eye(3), -np.eye(3)]) * length
    rate = 6 * D / length**2 * (1 + share) / (1 - share)
    counts = rng.poisson(rate * interval, size=(frames, ions))
    counts[0] = 0
    last, path = rng.integers(6, size=ions), np.zeros((frames, ions, 3))
    for frame, ion in np.argwhere(counts):
        for _ in range(counts[frame, ion]):
            last[ion] = (last[ion] + 3) % 6 if rng.random() < share else rng.integers(6)
            path[frame, ion] += steps[last[ion]]
    return np.cumsum(path, axis=0)


def groups(rng, *, frames, ions, D, interval, size):
    """Walks in which `size` ions always move together: D as for one, but fewer independent walkers."""
    walks = brownian(rng, frames=frames, ions=-(-ions // size), D=D, interval=interval)
    return np.repeat(walks, size, axis=1)[:, :ions]


def two_populations(rng, *, frames, ions, D, interval, ratio=10.0):
    """Each ion is fast or slow with even chance, all the run long: the mean over many cells is D."""
    slow = 2 * D / (1 + ratio)
    speeds = np.where(rng.random(ions) < 0.5, slow, ratio * slow)
    walk = brownian(rng, frames=frames, ions=ions, D=1.0, interval=interval)
    return walk * np.sqrt(speeds)[None, :, None]


def vacancy_gas(rng, *, frames, sites, vacancies, rate, interval, length=3.0):
    """Ions on a periodic simple cubic lattice of sites^3 that jump into vacancies, rate for each ion-vacancy pair.

    Jumps remember: an ion tends to jump back. Kinetic Monte Carlo, one jump at a time.
    """
    total = sites**3
    where = rng.permutation(total)
    empty = list(where[:vacancies])
    occupant = np.full(total, -1)
    occupied = where[vacancies:]
    occupant[occupied] = np.arange(len(occupied))
    moves = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    grid = np.array(np.unravel_index(np.arange(total), (sites,) * 3)).T
    neighbours = np.array(
        [np.ravel_multi_index(((grid + move) % sites).T, (sites,) * 3) for move in moves],
    ).T
    position = grid[occupied].astype(float) * length
    out = np.zeros((frames, len(occupied), 3))
    out[0] = position
    attempts = rng.poisson(rate * 6 * vacancies * interval, size=frames)
    for frame in range(1, frames):
        picks = rng.integers(vacancies, size=attempts[frame])
        directions = rng.integers(6, size=attempts[frame])
        for pick, direction in zip(picks, directions, strict=True):
            hole = empty[pick]
            source = neighbours[hole, direction]
            ion = occupant[source]
            if ion < 0:
                continue
            position[ion] -= moves[direction] * length
            occupant[hole], occupant[source] = ion, -1
            empty[pick] = source
        out[frame] = position
    return out


def subdiffusive(rng, *, frames, ions, exponent, interval, level=1.0):
    """Fractional Brownian motion, MSD = 3 level t^exponent, by circulant embedding (Davies and Harte, 1987)."""
    size = frames - 1
    lags = np.arange(size + 1)
    covariance = 0.5 * (
        np.abs(lags + 1.0) ** exponent - 2 * lags.astype(float) ** exponent + np.abs(lags - 1.0) ** exponent
    )
    row = np.concatenate([covariance, covariance[-2:0:-1]])
    eigenvalues = np.maximum(np.fft.fft(row).real, 0)
    noise = rng.normal(size=(len(row), ions, 3)) + 1j * rng.normal(size=(len(row), ions, 3))
    steps = np.fft.fft(np.sqrt(eigenvalues / len(row))[:, None, None] * noise, axis=0)[:size].real
    steps *= np.sqrt(level * interval**exponent)
    return np.concatenate([np.zeros((1, ions, 3)), np.cumsum(steps, axis=0)])
