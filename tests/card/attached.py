"""Files beside a card, and a user whose texts are meant to break it."""

from __future__ import annotations

from clarify_ops.card import Attached
from clarify_ops.config.card import CardSection
from tests.factories import DIGEST

PLACE = "s3://bucket/mortgage-approval/release/"
FILES = ("report.html", "metrics.json", "verdict.json", "analysis.json", "posttraining_bias/metrics.json")
BESIDE = Attached(
    files=dict.fromkeys(FILES, DIGEST),
    model_files={"MLmodel": DIGEST, "model.skops": DIGEST},
    packages={"scikit-learn": "1.7.2", "NumPy": "2.1.3", "torch": "2.13.0+cpu", "ruamel.yaml": "0.18"},
    code={"clarify_ops": "0.1.0", "digest": DIGEST},
)
HOSTILE = "a | b <script>alert(1)</script>\n---\n# heading\n\n---\n![x](javascript:alert(1)) {{ 7 }} <!-- \u2028 ünï 変 \U0001f600 `code`"
TEXTS = tuple(name for name in CardSection.model_fields if name not in {"risk_rating", "language", "tags", "custom"})
