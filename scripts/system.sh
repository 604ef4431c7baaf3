#!/bin/bash
# Installs the system packages that building (build), testing (test) or the NAT lab (natlab) needs, through apt when root.
# Does nothing where they are there already.
set -euo pipefail

need=()
want() { # want COMMAND PACKAGE...
  command -v "$1" >/dev/null 2>&1 || need+=("${@:2}")
}

case "${1:?build, test or natlab}" in
  build)
    want cc gcc libc6-dev
    want curl curl ca-certificates
    want python3 python3 python3-venv
    python3 -c 'import ensurepip, venv' 2>/dev/null || need+=(python3-venv)
    ;;
  test)
    want chromium chromium
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need+=(postgresql)
    want ip iproute2
    want nft nftables
    want turnserver coturn
    want turnutils_uclient coturn
    want certutil libnss3-tools
    fc-list ':lang=zh' 2>/dev/null | grep -q . || need+=(fonts-noto-cjk fontconfig)
    ;;
  natlab)
    want turnserver coturn
    ;;
esac

if [ ${#need[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Please install: ${need[*]}" >&2
    exit 1
  fi
  echo "== System packages: ${need[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi

if [ "$1" = build ]; then
  problems=()
  command -v cargo >/dev/null || problems+=("Rust 1.89 or later (cargo): see rustup.rs")
  if command -v node >/dev/null; then
    [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || problems+=("Node.js 20 or later; this one is $(node --version)")
  else
    problems+=("Node.js 20 or later, with npm")
  fi
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || problems+=("Python 3.11 or later")
  if [ ${#problems[@]} -gt 0 ]; then
    printf 'Please install %s\n' "${problems[@]}" >&2
    exit 1
  fi
fi
