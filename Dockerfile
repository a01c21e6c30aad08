# One image for every orchestrator. Its command is what SageMaker Clarify's own image does: it reads
# /opt/ml/processing/input and writes /opt/ml/processing/output, so that a processing job only changes its image.
#
#   make wheel && docker build -t clarify-ops:0.1.0 .
#
# Any base with Python 3.11 or newer and pip will do.
ARG BASE=python:3.12-slim
FROM ${BASE}

# Which extras come along: s3 for data there, kfp for Kubeflow's components.
ARG EXTRAS=s3

COPY dist/*.whl /tmp/wheel/
# Debian's own Python wants to be asked twice before it installs beside its packages; other bases do not mind.
RUN python3 -m pip install --no-cache-dir --no-compile --break-system-packages \
      "$(ls /tmp/wheel/clarify_ops-*.whl)[${EXTRAS}]" \
 && rm -r /tmp/wheel

ENV MPLCONFIGDIR=/tmp/matplotlib PYTHONUNBUFFERED=1

ENTRYPOINT ["clarify-ops"]
CMD ["analyze"]
