# syntax=docker/dockerfile:1
# All services in one image; the command says which: docker run parom fiscal.
#
#   docker build --target parom .        what production runs
#   docker build --target demo .         the same with the emulator and a signer for tests; never in production
#
# A list of what is in it: docker build --sbom=true --provenance=true (BuildKit attaches both to the image), and
# Cargo.lock for the crates. For builds that are the same to the byte pin both bases by digest.

ARG RUST=1.95
ARG DEBIAN=bookworm

FROM rust:${RUST}-slim-${DEBIAN} AS build
WORKDIR /src
# Queries are checked against .sqlx; no database is needed.
ENV SQLX_OFFLINE=true CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never
COPY . .
# The registry and the target folder stay between builds: a change of one crate builds that crate.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --workspace --exclude figures --exclude voyage --exclude operations --bins \
    && mkdir -p /out/parom /out/demo \
    && find target/release -maxdepth 1 -type f -perm -u+x ! -name emulator -exec cp -t /out/parom {} + \
    && cp target/release/emulator /out/demo/

FROM debian:${DEBIAN}-slim AS parom
# Certificates for TLS; openssl and xmllint are called for signatures of tests and for the registers' schemas.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libxml2-utils openssl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 65532 --user-group --no-create-home --shell /usr/sbin/nologin parom
COPY --from=build /out/parom/ /usr/local/bin/
USER 65532:65532
EXPOSE 8080
# The service asks itself with the settings it runs with: no shell, no curl, whichever service it is.
HEALTHCHECK --interval=15s --timeout=6s --start-period=60s --retries=3 CMD ["/proc/1/exe", "--probe"]
# There is no usual service: one is named.
CMD ["/bin/sh", "-c", "echo 'Name a service: ingress, fiscal, status, loyalty, marking, egais, edo or admin.' >&2; exit 64"]

FROM parom AS demo
USER root
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libengine-gost-openssl \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/demo/ /usr/local/bin/
COPY deploy/ /opt/parom/deploy/
USER 65532:65532

# The last one is what a build without --target makes.
FROM parom
