"""The techniques that are keys of a method, not rows of `inspect --techniques`: what some phase of a
config in configs/techniques/ has to apply for each.

A row holds the values that one applied method has at paths of the resolved config (`*` stands for
any part of a path); `epochs` are those of its phase. A default says nothing of its own (each
quantizer has an `init`): such a row also names what makes it act.
"""

import fnmatch


class Kind:
    """A value that is only described."""

    def __init__(self, words, holds):
        self.words, self.holds = words, holds

    def __repr__(self):
        return self.words


SET = Kind("(set)", lambda value: value not in (None, False))
NUMBER = Kind("(a number)", lambda value: type(value) in (int, float) and value > 0)

QUANTIZE = [
    {"epochs": 0, "activations.quantizer": "uniform"},  # after training
    {"activations": None},  # weights only
    {"equalize": True},
    {"correct_bias": True},
    {"adaround": SET},
    {"error_penalty": NUMBER},
    {"batch_norm": "fold"},
    {"first_last_bits": 8},
    {"overrides.*.weights.bits": NUMBER},
    *({"weights.quantizer": "uniform", "weights.rounding": rounding}
      for rounding in ("nearest", "floor", "truncate", "stochastic")),
    *({f"{side}.quantizer": "uniform", f"{side}.scale": "power_of_two"}
      for side in ("weights", "activations")),
    *({"weights.quantizer": "uniform", "weights.bits": bits} for bits in (4, 6, 8, 16)),
    {"weights.quantizer": "uniform", "weights.scheme": "affine"},
    {"weights.quantizer": "uniform", "weights.granularity": "per_tensor"},
    {"weights.quantizer": "uniform", "weights.granularity": "per_channel"},
    {"activations.quantizer": "lsq"},
    {"activations.quantizer": "dorefa"},
    {"activations.quantizer": "binary"},  # XNOR-Net
    {"weights.quantizer": "binary", "weights.scale": "float"},
    {"weights.quantizer": "binary", "weights.scale": "one", "weights.clip_latent": 1},
    {"weights.quantizer": "binary", "weights.rounding": "stochastic"},
    *({"weights.quantizer": "log2", "weights.base": base} for base in ("2", "sqrt2")),
    *({"weights.quantizer": "codebook", "weights.init": init}
      for init in ("linear", "density", "random")),
    *({"weights.quantizer": "codebook", "weights.train": train} for train in (True, False)),
    {"weights.quantizer": "codebook", "weights.reassign": "epoch"},
    {"weights.quantizer": "codebook", "weights.level_bits": 16},
]

PRUNE = [
    {"threshold": NUMBER},
    {"threshold.mean_abs": NUMBER},
    {"sparsity": NUMBER},
    {"sparsity.kind": "one_shot"},
    {"sparsity.kind": "polynomial"},
    {"scope": "global"},
    {"score": "int_code"},
    {"rewind": SET},
    *({"granularity": what} for what in ("element", "neuron", "filter", "channel", "residual_block",
                                         "block", "n_m")),
    {"granularity": "channel", "norm": None},  # l1, the default
    *({"granularity": "filter", "norm": norm} for norm in ("l2", "geometric_median")),
    {"method": "rigl", "regrow.distribution": "erk"},
]

REQUIRED = {
    "quantize": QUANTIZE,
    "prune": PRUNE,
    "factorize": [
        {"method": "svd", "rank": SET},
        {"method": "svd", "energy": NUMBER},
        {"method": "tucker2"},
    ],
    "auto": [
        *({f"budget.{key}": NUMBER} for key in ("bytes", "macs", "loss_points")),
        *({"search.sensitivity": measure} for measure in ("loss", "hessian")),
    ],
    "distill": [{"teacher.phase": SET}],
}


def flat(value, path=""):
    """(path, value) of everything in a resolved method, objects and lists included."""
    yield path, value
    if isinstance(value, dict):
        entries = value.items()
    else:
        entries = enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from flat(entry, f"{path}.{key}" if path else str(key))


def fulfils(method, row):
    """Whether the method has the row's value at every one of its paths."""
    found = list(flat(method))

    def has(pattern, wanted):
        values = [value for path, value in found if fnmatch.fnmatchcase(path, pattern)]
        if isinstance(wanted, Kind):
            return any(wanted.holds(value) for value in values)
        return any(isinstance(value, bool) == isinstance(wanted, bool)  # True == 1
                   for value in values if value == wanted)

    return all(has(pattern, wanted) for pattern, wanted in row.items())


def missing(methods):
    """Sentences about what no applied method has."""
    for kind, rows in REQUIRED.items():
        of_kind = [method for method in methods if method["kind"] == kind]
        for row in rows:
            if not any(fulfils(method, row) for method in of_kind):
                said = ", ".join(f"{path} {wanted!r}" for path, wanted in row.items())
                yield f"no config in configs/techniques/ has a '{kind}' with {said}"
