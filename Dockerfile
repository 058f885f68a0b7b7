FROM docker.io/library/python:3.12-slim AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/runware-mock
COPY LICENSE pyproject.toml README.md requirements.lock ./
COPY migrations migrations
COPY server server
# Without the libraries' own tests, which take 16 MB.
RUN pip --python /opt/runware-mock/bin/python install --no-cache-dir --constraint requirements.lock '.[mcp,postgres,s3,tls,uvloop,vips]' \
    && find /opt/runware-mock -type d -name tests -prune -exec rm -r {} +

FROM docker.io/library/python:3.12-slim
RUN useradd --no-create-home --uid 10001 runware-mock \
    && install --directory --owner runware-mock /data
COPY --from=build /opt/runware-mock /opt/runware-mock
ENV PATH=/opt/runware-mock/bin:$PATH \
    RUNWARE_MOCK_HOST=0.0.0.0 \
    RUNWARE_MOCK_DATA_DIR=/data
# By number: only then can an orchestrator tell that it is not root.
USER 10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=10s --start-period=10s CMD ["runware-mock", "ready"]
ENTRYPOINT ["runware-mock"]
CMD ["serve"]
