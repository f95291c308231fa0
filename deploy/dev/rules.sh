#!/usr/bin/env bash
# Writes the alarms as a PrometheusRule for Kubernetes; a test of shared/operations holds one against the other.
. "$(dirname "$0")/lib.sh"
{
  cat <<'HEAD'
# Written by deploy/dev/rules.sh from deploy/prometheus/parom.rules.yaml: change that one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: parom
spec:
HEAD
  grep -v '^#' "$ROOT/deploy/prometheus/parom.rules.yaml" | sed 's/^\(.\)/  \1/'
} >"$ROOT/k8s/components/monitoring/rules.yaml"
