"""Notes on some metrics, as a caller makes them from the metric tables; others stay without one on purpose."""

from clarify_ops.report import MetricNote

NOTES = {
    "CI": MetricNote("Class imbalance", "Which side has more rows; above 0 the advantaged side."),
    "DPL": MetricNote("Difference in proportions of labels", "Above 0 the advantaged side has more favourable labels."),
    "DPPL": MetricNote("Difference in predicted proportions", "Above 0 the advantaged side is approved more often."),
    "DI": MetricNote(
        "Disparate impact",
        "Approval rate of the disadvantaged side over that of the advantaged; below 1 it is lower.",
        parity=1.0,
    ),
    "auc": MetricNote("Area under the ROC curve", "How well scores rank; 0.5 is chance."),
}
