"""Attributions of PyTorch networks from their gradients: fast, approximate, and no Shapley values."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadModel, NotSupported
from clarify_ops.explain.explanation import Explanation, output_names
from clarify_ops.explain.hybrids import Hybrids
from clarify_ops.models.libraries import library

Floats = NDArray[np.float64]

LARGEST_GAP = 1e-2
"""Of what predictions differ from the expected value: above it, the values are not what they are called."""

DEEPLIFT = "DeepLIFT's rescale rule, averaged over the baseline rows: no Shapley values, except of a linear network."
GRADIENTS = "Expected gradients between baseline rows and the row: no Shapley values, except of a linear network."

NETWORK_ROWS = 16_384


def is_network(estimator: object) -> bool:
    """Whether it is a torch Module, and no Keras model, of which layers are hidden from PyTorch's hooks."""
    found = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(estimator).__mro__}
    return ("torch", "Module") in found and ("keras", "Model") not in found


def deep_shap(
    module: Any, rows: pd.DataFrame, background: pd.DataFrame, *, labels: Sequence[str] | None = None
) -> Explanation:
    """Explains a network by DeepLIFT's rescale rule, with shap's DeepExplainer.

    Each nonlinear layer is replaced by the straight line between its activations at the row and at a baseline row. What
    layers compute together is missed, so that these are approximations of Shapley values without a bound; where a layer is
    unknown, or the network computes outside of its layers, not even their sum is right, which the additivity gap shows.

    Args:
        module: A torch Module; a copy of it is asked, in double precision.
        rows: (rows, features) of numbers, without missing ones.
        background: (baseline rows, features), same columns.
        labels: Names of the outputs; None for label0, label1, ...

    Returns:
        Of no row exact, without standard errors; a warning says so, and another where the sum is off.

    Raises:
        NotSupported: It is no torch Module.
        BadData: The columns of rows and background differ, or hold something else than numbers.
        BadModel: The network fails on the rows.

    Source: Shrikumar, Greenside and Kundaje (2017), arXiv:1704.02685; Lundberg and Lee (2017), arXiv:1705.07874, Deep SHAP.
    """
    torch, network, given, behind = _prepared(module, rows, background)
    shap = library("shap")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        values = _asked(
            lambda: (
                shap.DeepExplainer(network, behind).shap_values(given, check_additivity=False) if len(given) else None
            )
        )
    unknown = sorted({name for one in said for name in re.findall(r"unrecognized nn\.Module: (\w+)", str(one.message))})
    # Put there by `_columns`; it only turns the answer.
    unknown = [name for name in unknown if name != "Unflatten"]
    notes = [DEEPLIFT]
    if unknown:
        notes.append(f"No rule is known for {', '.join(unknown)}: their gradients at the row are taken in its place.")
    predictions, expected = _answers(torch, network, given), _answers(torch, network, behind).mean(axis=0)
    shape = (*rows.shape, len(expected))
    values = np.zeros(shape) if values is None else np.asarray(values, dtype=np.float64).reshape(shape)
    return _explanation(
        rows, values, np.full(shape, np.nan), predictions, expected, notes, "deep_shap", background, labels
    )


def expected_gradients(
    module: Any,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    rng: np.random.Generator,
    samples: int = 200,
    labels: Sequence[str] | None = None,
) -> Explanation:
    r"""Explains a network by its gradients on the way from a baseline row to the row.

    .. math:: \phi_j(x) = E_{b, t \sim U(0, 1)} \Bigl[(x_j - z^{(b)}_j)\, \partial_j f\bigl(z^{(b)} + t (x - z^{(b)})\bigr)\Bigr]

    Nothing but differentiability is asked of the network. The values share out the prediction less the expected value as
    Aumann and Shapley do, not as Shapley does; they are estimated, with standard errors.

    Args:
        module: As in `deep_shap`.
        rows: As in `deep_shap`.
        background: As in `deep_shap`.
        rng: Draws baseline rows and places on the way.
        samples: Draws for each row, at least 2.
        labels: Names of the outputs; None for label0, label1, ...

    Raises:
        NotSupported: As `deep_shap`.
        BadData: As `deep_shap`.
        BadModel: As `deep_shap`.

    Source: Erion et al. (2021), doi:10.1038/s42256-021-00343-9; Sundararajan, Taly and Yan (2017), arXiv:1703.01365.
    """
    if samples < 2:
        raise BadData(f"Expected gradients need at least 2 samples a row, not {samples}.")
    torch, network, given, behind = _prepared(module, rows, background)
    predictions, expected = _answers(torch, network, given), _answers(torch, network, behind).mean(axis=0)
    values = np.zeros((*rows.shape, len(expected)))
    errors = np.zeros_like(values)
    for row, point in enumerate(given):
        start = behind[torch.as_tensor(rng.integers(len(behind), size=samples))]
        way = point - start
        place = torch.as_tensor(rng.uniform(size=(samples, 1)))
        for output in range(len(expected)):
            there = (start + place * way).requires_grad_()
            (gradient,) = _asked(lambda at=there, of=output: torch.autograd.grad(network(at)[:, of].sum(), at))
            drawn = (gradient * way).numpy()
            values[row, :, output] = drawn.mean(axis=0)
            errors[row, :, output] = drawn.std(axis=0, ddof=1) / np.sqrt(samples)
    return _explanation(
        rows, values, errors, predictions, expected, [GRADIENTS], "expected_gradients", background, labels
    )


def network_answers(module: Any, rows: pd.DataFrame) -> Floats:
    """(rows, outputs): what a network answers, in double precision.

    Raises:
        NotSupported: It is no torch Module.
        BadData: The rows hold something else than numbers.
        BadModel: The network fails on the rows.
    """
    torch, network, given, _ = _prepared(module, rows, rows.head(1))
    return _asked(lambda: _answers(torch, network, given))  # type: ignore[no-any-return]


def _prepared(module: Any, rows: pd.DataFrame, background: pd.DataFrame) -> tuple[Any, Any, Any, Any]:
    """torch, a copy of the network that hooks may change, and rows and background as tensors of doubles."""
    if not is_network(module):
        raise NotSupported(
            f"{type(module).__name__} is no PyTorch module, and nothing else is explained by its layers.",
            "Use kernel_shap or permutation_shap, which only ask.",
        )
    torch = library("torch")
    # What explains hangs hooks and activations on the layers, and the user's network may be asked meanwhile.
    network = copy.deepcopy(module).to("cpu").double().eval()
    for layer in network.modules():
        if getattr(layer, "inplace", False):
            # A hook cannot look at what has been written over.
            layer.inplace = False
    hybrids = Hybrids(rows, background)
    frames = hybrids.rows(0, hybrids.row_count), hybrids.background(0, hybrids.background_count)
    given, behind = (torch.tensor(_matrix(frame), dtype=torch.float64) for frame in frames)
    return torch, _columns(torch, network, behind), given, behind


def _matrix(frame: pd.DataFrame) -> Floats:
    for name, dtype in frame.dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype):
            raise BadData(f"The column {str(name)!r} holds no numbers, and a network takes nothing else.")
    matrix = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=0))
    if len(bad):
        raise BadData(
            f"The column {str(frame.columns[bad[0]])!r} has missing or infinite values, and a network takes none."
        )
    return matrix


def _columns(torch: Any, network: Any, behind: Any) -> Any:
    """The network with an answer of (rows, outputs)."""
    with torch.no_grad():
        answer = _asked(lambda: network(behind[:1]))
    if not isinstance(answer, torch.Tensor) or answer.ndim not in {1, 2} or len(answer) != 1:
        what = f"a tensor of shape {tuple(answer.shape)}" if isinstance(answer, torch.Tensor) else type(answer).__name__
        raise BadModel(f"The network answers {what} for a row.", "Explain one that answers a number, or one an output.")
    return torch.nn.Sequential(network, torch.nn.Unflatten(0, (-1, 1))) if answer.ndim == 1 else network


def _asked(ask: Any) -> Any:
    try:
        return ask()
    except Exception as error:  # A network is anybody's code, and fails as it likes.
        said = (str(error).strip().splitlines() or [""])[0].rstrip(". ")
        raise BadModel(f"The network cannot be explained by its layers: {type(error).__name__}: {said}.") from error


def _answers(torch: Any, network: Any, matrix: Any) -> Floats:
    with torch.no_grad():
        parts = [network(matrix[at : at + NETWORK_ROWS]).numpy() for at in range(0, max(1, len(matrix)), NETWORK_ROWS)]
    return np.concatenate(parts).astype(np.float64)


def _explanation(
    rows: pd.DataFrame,
    values: Floats,
    errors: Floats,
    predictions: Floats,
    expected: Floats,
    notes: list[str],
    *rest: Any,
) -> Explanation:
    explainer, background, labels = rest
    base = np.tile(expected, (len(rows), 1))
    gap = float(np.abs(base + values.sum(axis=1) - predictions).max(initial=0.0))
    reach = float(np.abs(predictions - base).max(initial=0.0))
    # Rounding of doubles, where a network answers the same everywhere.
    if gap > max(LARGEST_GAP * reach, 1e-9):
        notes.append(
            f"The values miss the predictions by up to {gap:.3g}, where these lie up to {reach:.3g} from the expected value."
        )
    return Explanation(
        features=tuple(str(name) for name in rows.columns),
        outputs=output_names(len(expected), None if labels is None else tuple(labels)),
        values=values,
        standard_errors=errors,
        expected_value=expected,
        base_values=base,
        predictions=predictions,
        exact=np.zeros(len(rows), dtype=np.bool_),
        coalitions=0,
        prediction_rows=len(rows) + len(background),
        prediction_calls=2,
        warnings=tuple(notes),
        explainer=explainer,
        background=f"{len(background)} baseline row{'s' if len(background) != 1 else ''}, by its layers",
    )
