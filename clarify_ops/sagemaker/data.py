"""What is analysed: `DataConfig` and what it is made of."""

from __future__ import annotations

import copy
from enum import Enum
from typing import Any

from clarify_ops.sagemaker.settings import given, require


class DatasetType(Enum):
    """Types of datasets that a job may name."""

    TEXTCSV = "text/csv"
    JSONLINES = "application/jsonlines"
    JSON = "application/json"
    PARQUET = "application/x-parquet"
    IMAGE = "application/x-image"


class TimeSeriesJSONDatasetFormat(Enum):
    """Layouts of time series in JSON."""

    COLUMNS = "columns"
    ITEM_RECORDS = "item_records"
    TIMESTAMP_RECORDS = "timestamp_records"


class SegmentationConfig:
    """A column to report by segment.

    Args:
        name_or_index: The column.
        segments: Lists of values or intervals such as "(2, 5]"; rows in none of them are one more segment.
        config_name: How reports call it.
        display_aliases: Names of the segments, and perhaps of the one more.

    Raises:
        ValueError: The column is absent, segments are no list of lists, or aliases are of another number.
    """

    def __init__(
        self,
        name_or_index: str | int,
        segments: list[list[str | int]],
        config_name: str | None = None,
        display_aliases: list[str] | None = None,
    ) -> None:
        require(name_or_index is not None, "`name_or_index` cannot be None")
        given_as: object = segments
        lists = isinstance(given_as, list) and given_as and all(isinstance(one, list) for one in given_as)
        require(lists, "`segments` must be a list of lists of values or intervals.")
        require(
            display_aliases is None or len(display_aliases) - len(segments) in {0, 1},
            "Number of `display_aliases` must equal the number of segments, or be one more for the default segment.",
        )
        self.name_or_index = name_or_index
        self.segments = segments
        self.config_name = config_name
        self.display_aliases = display_aliases

    def to_dict(self) -> dict[str, Any]:
        """The entry of `segment_config`."""
        document: dict[str, Any] = {"name_or_index": self.name_or_index, "segments": self.segments}
        if self.config_name:
            document["config_name"] = self.config_name
        if self.display_aliases:
            document["display_aliases"] = self.display_aliases
        return document


class TimeSeriesDataConfig:
    """Where the parts of a time series dataset stand: all by JMESPath, or all by index.

    Raises:
        ValueError: A part is missing, of another type than the target, or the format does not fit.
    """

    def __init__(
        self,
        target_time_series: str | int,
        item_id: str | int,
        timestamp: str | int,
        related_time_series: list[str | int] | None = None,
        static_covariates: list[str | int] | None = None,
        dataset_format: TimeSeriesJSONDatasetFormat | None = None,
    ) -> None:
        require(target_time_series, "Please provide a target time series.")
        require(item_id, "Please provide an item id.")
        require(timestamp, "Please provide a timestamp.")
        require(isinstance(target_time_series, str | int), "``target_time_series`` must be a string or an int.")
        kind = type(target_time_series)
        for name, value in (("item_id", item_id), ("timestamp", timestamp)):
            require(isinstance(value, kind), f"Please provide {kind} for ``{name}``")
        self.time_series_data_config: dict[str, Any] = given(
            target_time_series=target_time_series, item_id=item_id, timestamp=timestamp
        )
        lists: dict[str, Any] = {
            "related_time_series": related_time_series,
            "static_covariates": static_covariates,
        }
        for name, values in lists.items():
            if values:
                fits = isinstance(values, list) and all(isinstance(one, kind) for one in values)
                require(fits, f"Please provide a list of {kind} for ``{name}``")
                require(kind is not str or all(values), f"Please do not provide empty strings in ``{name}``.")
                self.time_series_data_config[name] = values
        if kind is str:
            # The SDK's own member is another class with the same values.
            layout = getattr(dataset_format, "value", None)
            require(
                layout in {one.value for one in TimeSeriesJSONDatasetFormat}, "Please provide a valid dataset format."
            )
            self.time_series_data_config["dataset_format"] = layout
        else:
            require(not dataset_format, "Dataset format should only be provided when data files are JSONs.")

    def get_time_series_data_config(self) -> dict[str, Any]:
        """The object of `time_series_data_config`."""
        return copy.deepcopy(self.time_series_data_config)


_TABLES = ("text/csv", "application/jsonlines", "application/json", "application/x-parquet")


class DataConfig:
    """Where the dataset lies, how it is laid out, and where results go.

    Args:
        s3_data_input_path: The dataset; in local mode a path, folder or glob as well.
        s3_output_path: Where results go; in local mode a folder as well.
        s3_analysis_config_output_path: Where a copy of the configuration goes; by default with the results.
        label: The label's column, index or JMESPath.
        headers: Names of the columns.
        features: JMESPath of the features in JSON.
        dataset_type: "text/csv", "application/jsonlines", "application/json", "application/x-parquet" or "application/x-image".
        s3_compression_type: "None" or "Gzip".
        joinsource: The column that identifies a row.
        facet_dataset_uri, facet_headers: Facets in a file of their own (CSV).
        predicted_label_dataset_uri, predicted_label_headers: Predictions in a file of their own (CSV).
        predicted_label: The predicted label's column, index or JMESPath.
        excluded_columns: Columns that a model does not see.
        segmentation_config: Columns to report by segment.
        time_series_data_config: Where the parts of a time series stand.

    Raises:
        ValueError: Arguments that do not go together.
    """

    def __init__(
        self,
        s3_data_input_path: str,
        s3_output_path: str,
        s3_analysis_config_output_path: str | None = None,
        label: str | None = None,
        headers: list[str] | None = None,
        features: str | None = None,
        dataset_type: str = "text/csv",
        s3_compression_type: str = "None",
        joinsource: str | int | None = None,
        facet_dataset_uri: str | None = None,
        facet_headers: list[str] | None = None,
        predicted_label_dataset_uri: str | None = None,
        predicted_label_headers: list[str] | None = None,
        predicted_label: str | int | None = None,
        excluded_columns: list[int] | list[str] | None = None,
        segmentation_config: list[SegmentationConfig] | None = None,
        time_series_data_config: TimeSeriesDataConfig | None = None,
    ) -> None:
        require(dataset_type in {one.value for one in DatasetType}, f"Invalid dataset_type '{dataset_type}'.")
        elsewhere = {
            "predicted_label": (predicted_label, _TABLES),
            "excluded_columns": (excluded_columns, _TABLES),
            "facet_dataset_uri": (facet_dataset_uri, _TABLES[:1]),
            "facet_headers": (facet_headers, _TABLES[:1]),
            "predicted_label_dataset_uri": (predicted_label_dataset_uri, _TABLES[:1]),
            "predicted_label_headers": (predicted_label_headers, _TABLES[:1]),
        }
        for name, (value, allowed) in elsewhere.items():
            require(
                not value or dataset_type in allowed,
                f"The parameter '{name}' is not supported for dataset_type '{dataset_type}'.",
            )
        json = dataset_type == DatasetType.JSON.value
        require(not time_series_data_config or json, "Time series explainability only supports JSON format data.")
        require(
            not json or features is not None or time_series_data_config,
            "features JMESPath is required for application/json dataset_type",
        )
        self.s3_data_input_path = s3_data_input_path
        self.s3_output_path = s3_output_path
        self.s3_analysis_config_output_path = s3_analysis_config_output_path
        self.s3_data_distribution_type = "FullyReplicated"
        self.s3_compression_type = s3_compression_type
        self.label = label
        self.headers = headers
        self.features = features
        self.facet_dataset_uri = facet_dataset_uri
        self.facet_headers = facet_headers
        self.predicted_label_dataset_uri = predicted_label_dataset_uri
        self.predicted_label_headers = predicted_label_headers
        self.predicted_label = predicted_label
        self.excluded_columns = excluded_columns
        self.segmentation_configs = segmentation_config
        self.analysis_config = given(
            dataset_type=dataset_type,
            features=features,
            headers=headers,
            label=label,
            joinsource_name_or_index=joinsource,
            facet_dataset_uri=facet_dataset_uri,
            facet_headers=facet_headers,
            predicted_label_dataset_uri=predicted_label_dataset_uri,
            predicted_label_headers=predicted_label_headers,
            predicted_label=predicted_label,
            excluded_columns=excluded_columns,
        )
        if segmentation_config:
            self.analysis_config["segment_config"] = [one.to_dict() for one in segmentation_config]
        if time_series_data_config:
            self.analysis_config["time_series_data_config"] = time_series_data_config.get_time_series_data_config()

    def get_config(self) -> dict[str, Any]:
        """Its part of the analysis configuration."""
        return copy.deepcopy(self.analysis_config)
