# One image for every orchestrator. Without arguments it is what SageMaker Clarify's own image is: it reads
# /opt/ml/processing/input and writes /opt/ml/processing/output, so that a processing job only changes its image.
#
#   make image
#
# docs/image.md tells what is in it, who it runs as, and how it is built without a network.
ARG BASE=python:3.12-slim

# What is installed is what the lock says, by hash. A stage of its own, so that other changes of the project leave the
# next one as it is.
FROM ${BASE} AS requirements
ARG UV_VERSION=0.13.8
# Which extras of pyproject.toml come along: s3 for data there, aws for SageMaker's registry, kfp for Kubeflow's components.
ARG EXTRAS="s3 aws kfp"
WORKDIR /build
COPY pyproject.toml uv.lock wheelhous[e]/uv-* /build/
RUN set -eu; \
    if ls uv-*.whl >/dev/null 2>&1; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=.; fi; \
    python3 -m venv tools && tools/bin/pip install --quiet --disable-pip-version-check "uv==${UV_VERSION}"; \
    for one in ${EXTRAS}; do extras="${extras-} --extra $one"; done; \
    export UV_PYTHON_DOWNLOADS=never; \
    tools/bin/uv export --quiet --frozen --no-header --no-default-groups --no-emit-project ${extras-} --output-file requirements.txt; \
    tools/bin/uv export --quiet --frozen --no-header --only-group image --output-file builders.txt

# Tools and caches stay behind in this stage. With a wheel house (`make wheelhouse`) nothing is asked from a network.
FROM ${BASE} AS dependencies
ENV PATH=/opt/clarify-ops/bin:$PATH UV_CACHE_DIR=/build/cache UV_PYTHON_DOWNLOADS=never SOURCE_DATE_EPOCH=1735689600
WORKDIR /build
COPY --from=requirements /build/tools/bin/uv /build/requirements.txt /build/builders.txt /build/
# The lock is there so that something is, where there is no wheel house.
COPY uv.lock wheelhous[e]/* /build/wheelhouse/
# Other packages' tests and headers and MLflow's user interface, which its server alone needs, are left out. What stays is
# compiled, for whoever runs the image cannot write there. Two builds are equal: pyc files do not look at times, every file
# has the same time, and what uv notes about when it read a wheel is removed.
RUN set -eu; \
    if ls wheelhouse/*.whl >/dev/null 2>&1; then offline="--no-index --find-links wheelhouse"; fi; \
    python3 -m venv --without-pip /opt/clarify-ops; \
    ./uv pip install --quiet --python /opt/clarify-ops/bin/python ${offline-} --build-constraints builders.txt \
      --require-hashes --no-deps --requirement requirements.txt; \
    cd /opt/clarify-ops/lib/python3*/site-packages; \
    find . -type d \( -name tests -o -path ./pyarrow/include -o -path ./mlflow/server/js \) -prune -exec rm -rf {} +; \
    find . -name uv_cache.json -delete; sed -i /uv_cache.json,/d ./*.dist-info/RECORD; \
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash .; \
    find /opt/clarify-ops -exec touch --no-dereference --date=@$SOURCE_DATE_EPOCH {} +; \
    rm -rf /build/cache /build/wheelhouse

# The wheel by itself, so that an upgrade of ours is a small layer on those that are there.
FROM dependencies AS ours
COPY dist/*.whl /build/dist/
RUN set -eu; \
    ./uv pip install --quiet --python /opt/clarify-ops/bin/python --prefix /build/ours --no-deps --no-index --find-links dist clarify-ops; \
    cd /build/ours; find . -name uv_cache.json -delete; sed -i /uv_cache.json,/d lib/python3*/site-packages/*.dist-info/RECORD; \
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash -s /build/ours -p /opt/clarify-ops .; \
    find . -exec touch --no-dereference --date=@$SOURCE_DATE_EPOCH {} +

FROM ${BASE}
COPY --from=dependencies /opt/clarify-ops /opt/clarify-ops
COPY --from=ours /build/ours /opt/clarify-ops
# Whoever runs it, /tmp can be written: that is where MLflow, matplotlib and numba keep what they keep.
ENV PATH=/opt/clarify-ops/bin:$PATH HOME=/tmp USER=clarify-ops MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba PYTHONUNBUFFERED=1
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="clarify-ops" \
      org.opencontainers.image.description="Bias checks, explanations and a release gate for models" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.documentation="docs/image.md"
# A number, for Kubernetes' runAsNonRoot takes no name. SageMaker's jobs want root: --build-arg RUN_AS=0.
ARG RUN_AS=10001
USER ${RUN_AS}:0
ENTRYPOINT ["clarify-ops"]
CMD ["analyze"]
