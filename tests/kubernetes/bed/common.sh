# What the scripts of the test bed share: where things are, and whether it is up. Sourced, not run.
BED=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
TREE=$(readlink -f "$BED/../../..")
KUBERNETES=$(readlink -m "$TREE/build/kubernetes")
DEFAULT_VERSION=v1.37.2

# All that a running bed writes is in STATE; within the bed, some of it is also seen at its usual place.
STATE=$KUBERNETES/state
NODE_NAME=bed
NODE_ADDRESS=10.244.0.1     # of a bridge: the API server refuses to proxy to a node on a loopback address
SERVICE_ADDRESS=10.96.0.1   # of the service "kubernetes"; there is no kube-proxy, so the node itself answers there
CONTAINERD=/run/containerd/containerd.sock

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

use_version() {  # use_version VERSION: sets VERSION, BIN and PATH
  VERSION=$1 BIN=$KUBERNETES/$1/bin
  [[ $VERSION =~ ^v1\.[0-9]+\.[0-9]+$ ]] || die "'$VERSION' is no version of Kubernetes; v1.37.2 is one"
  export PATH=$BIN:$PATH
}

start_time() {  # start_time PID: tells a process from a later one with the same id; nothing if it has ended
  [ -r "/proc/$1/stat" ] || return 0
  sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'
}

node_pid() {  # the bed's first process; fails when the bed is not up
  local pid started
  [ -f "$STATE/node.pid" ] && read -r pid started <"$STATE/node.pid" &&
    [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}

cgroup_name() {  # below which the containers' control groups are: another tree's bed has another
  echo "sluice-bed-$(cksum <<<"$STATE" | cut -d' ' -f1)"
}

write_kubeconfig() {  # write_kubeconfig USER CREDENTIAL-LINE…: to the standard output
  local user=$1 line; shift
  cat <<END
apiVersion: v1
kind: Config
clusters:
- name: bed
  cluster:
    server: https://127.0.0.1:443
    certificate-authority-data: $(base64 -w0 "$STATE/pki/ca.crt")
users:
- name: $user
  user:
END
  printf '    %s\n' "$@"
  cat <<END
contexts:
- name: bed
  context: {cluster: bed, user: "$user"}
current-context: bed
END
}
