"""The rules of SageMaker's two model cards as JSON Schemas, from the service's developer guide and the SDKs' constants.

The guide's patterns such as `.{1,63}` find a part of a longer name; the limits they mean are held here.
"""

from __future__ import annotations

from typing import Any

SHORT, LONG = 1024, 2048


def text(limit: int | None = None, least: int = 0) -> dict[str, Any]:
    return {"type": "string", "minLength": least, **({} if limit is None else {"maxLength": limit})}


def closed(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


def texts(limit: int, *names: str) -> dict[str, Any]:
    return {name: text(limit) for name in names}


def several(items: Any, most: int | None = None, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, **({} if most is None else {"maxItems": most})}


def metric(kinds: list[str], value: Any, x: Any, y: Any) -> dict[str, Any]:
    return closed(
        ("name", "type", "value"),
        name=text(255, 1),
        notes=text(1024),
        type={"enum": kinds},
        value=value,
        x_axis_name=x,
        y_axis_name=y,
    )


NUMBER = {"type": "number"}
AXIS, AXES = text(63), several(text(63))
METRIC = {
    "anyOf": [
        metric(["number"], NUMBER, AXIS, AXIS),
        metric(["string"], text(63), AXIS, AXIS),
        metric(["boolean"], {"type": "boolean"}, AXIS, AXIS),
        metric(["linear_graph"], several(several(NUMBER, 2, 2), None, 1), AXIS, AXIS),
        metric(["bar_chart"], several(NUMBER, None, 1), AXES, AXIS),
        metric(["matrix"], several(several(NUMBER, 20, 1), 20, 1), AXES, AXES),
    ]
}
TRAINING_METRIC = closed(("name", "value"), name=text(255, 1), notes=text(1024), value=NUMBER)
PARAMETER = closed(("name", "value"), name=text(255, 1), value=text(255, 1))
IMAGES = closed(container_image=several(text(SHORT), 15))
GOAL = {"function": {"enum": ["Maximize", "Minimize"]}, "condition": text(63)}


def card(overview: dict[str, Any], objective: dict[str, Any], **more: Any) -> dict[str, Any]:
    training = closed(
        training_arn=text(SHORT),
        training_datasets=several(text(SHORT), 15),
        training_environment=IMAGES,
        training_metrics=several(TRAINING_METRIC, 50),
        user_provided_training_metrics=several(TRAINING_METRIC, 50),
        hyper_parameters=several(PARAMETER, 100),
        user_provided_hyper_parameters=several(PARAMETER, 100),
    )
    group = closed(("name", "metric_data"), name=text(63, 1), metric_data=several(METRIC))
    evaluation = closed(
        ("name",),
        name=text(63, 1),
        evaluation_observation=text(2096),
        evaluation_job_arn=text(256),
        datasets=several(text(SHORT), 10),
        metadata={"type": "object", "additionalProperties": text(SHORT)},
        metric_groups=several(group),
    )
    uses = ("purpose_of_model", "intended_uses", "factors_affecting_model_efficiency", "explanations_for_risk_rating")
    return closed(
        model_overview=overview,
        intended_uses=closed(risk_rating={"enum": ["High", "Medium", "Low", "Unknown"]}, **texts(LONG, *uses)),
        business_details=closed(**texts(LONG, "business_problem", "business_stakeholders", "line_of_business")),
        training_details=closed(
            objective_function=objective, training_observations=text(SHORT), training_job_details=training
        ),
        evaluation_details=several(evaluation),
        additional_information=closed(
            custom_details={"type": "object", "additionalProperties": text(SHORT)},
            **texts(LONG, "ethical_considerations", "caveats_and_recommendations"),
        ),
        **more,
    )


ARTIFACTS = several(text(SHORT), 15)
PACKAGE = card(closed(model_creator=text(SHORT), model_artifact=ARTIFACTS), closed(**GOAL, facet=text(63)))
STANDALONE = card(
    closed(
        model_id=text(SHORT),
        model_name=text(SHORT),
        model_version={"type": "number", "minimum": 1},
        model_artifact=ARTIFACTS,
        inference_environment=IMAGES,
        **texts(SHORT, "model_description", "problem_type", "algorithm_type", "model_creator", "model_owner"),
    ),
    closed(function=closed(**GOAL, facet={"enum": ["Loss", "Accuracy", "RMSE", "MAE", "AUC"]}), notes=text(1024)),
    model_package_details=closed(
        model_package_status={"enum": ["Pending", "InProgress", "Completed", "Failed", "Deleting"]},
        model_approval_status={"enum": ["Approved", "Rejected", "PendingManualApproval"]},
        model_package_version=NUMBER,
        created_by=closed(user_profile_name=text(63)),
        source_algorithms=several(
            closed(("algorithm_name",), algorithm_name=text(170), model_data_url=text(SHORT)), 15
        ),
        inference_specification=closed(
            ("containers",),
            containers=several(
                closed(("image",), image=text(255), model_data_url=text(SHORT), nearest_model_name=text()), 15
            ),
        ),
        **texts(
            SHORT,
            "model_package_arn",
            "model_package_description",
            "approval_description",
            "model_package_group_name",
            "model_package_name",
            "domain",
            "task",
        ),
    ),
)
