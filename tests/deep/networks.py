"""Small networks, and rows for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

FEATURES = 5


def rows_and_background() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.normal(size=(24, FEATURES)), columns=[f"x{i}" for i in range(FEATURES)])
    return table.iloc[:8].reset_index(drop=True), table.iloc[8:].reset_index(drop=True)


def linear(outputs: int = 2) -> Any:
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(FEATURES, 4), torch.nn.Linear(4, outputs))


def with_relu(*, inplace: bool = False) -> Any:
    """Fitted, so that its hidden units are at work."""
    torch.manual_seed(3)
    layers = (torch.nn.Linear(FEATURES, 16), torch.nn.ReLU(inplace=inplace), torch.nn.Linear(16, 2))
    network = torch.nn.Sequential(*layers)
    points = torch.randn(300, FEATURES)
    wanted = torch.stack([points[:, 0] * points[:, 1], points[:, 2].abs()], dim=1)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(points), wanted).backward()
        optimizer.step()
    return network
